// What a role may do in the pipeline's database that was only given the right to read.

import pg from 'pg'
import { expect, inject, it } from 'vitest'
import { readerRole } from '../../../src/embedded/postgres/postgres-server.ts'
import { postgresOptions } from '../../../src/store/client/connection.ts'
import { prepareSchema } from '../../../src/store/schema/schema.ts'
import { makePipeline, type Pipeline } from '../scenes/pipeline.ts'

const forbidden = [
  'CREATE TEMP TABLE mine (n int)',
  'SELECT lo_create(0)',
  'SELECT lo_creat(-1)',
  `SELECT lo_from_bytea(0, '\\x00')`,
  'CREATE TABLE public.mine (n int)',
  `CREATE FUNCTION public.now() RETURNS int LANGUAGE sql AS 'SELECT 1'`,
  'SELECT FROM kpi_market_prices FOR UPDATE',
  'DELETE FROM alerts',
  'SELECT kpi_add_months(now(), now())',
]
const allowed = ['SELECT FROM kpi_windows', 'SELECT FROM dead_letters', 'SELECT FROM alerts', 'SELECT kpi_instant(0)']

async function tryAsReader(pipeline: Pipeline, statements: readonly string[]): Promise<string[]> {
  const url = new URL(pipeline.ownerUrl)
  url.username = readerRole
  url.password = inject('readerPassword')
  const client = new pg.Client({ connectionString: url.href })
  await client.connect()
  try {
    const done: string[] = []
    for (const text of statements) {
      await client.query('BEGIN')
      await client.query(text).then(
        () => done.push(text),
        () => undefined,
      )
      await client.query('ROLLBACK')
    }
    return done
  } finally {
    await client.end()
  }
}

it('bi_reader reads, and does nothing else', async () => {
  await using pipeline = await makePipeline()
  expect(await tryAsReader(pipeline, allowed)).toEqual(allowed)
  expect(await tryAsReader(pipeline, forbidden)).toEqual([])
})

it('a database that was prepared before is put right by the next init, which says so once', async () => {
  await using pipeline = await makePipeline()
  const database = `"${new URL(pipeline.ownerUrl).pathname.slice(1)}"`
  await pipeline.owner.query({
    text: `GRANT TEMPORARY ON DATABASE ${database} TO PUBLIC; GRANT CREATE ON SCHEMA public TO PUBLIC;
      GRANT EXECUTE ON FUNCTION lo_creat, lo_create, lo_from_bytea TO PUBLIC`,
  })
  expect(await tryAsReader(pipeline, forbidden)).toHaveLength(6)
  const options = postgresOptions({ ...pipeline.config, databaseUrl: pipeline.ownerUrl })
  expect(await prepareSchema(options, {})).toEqual([
    'revoked from PUBLIC the right to create temporary tables',
    "revoked from PUBLIC the right to create tables in the schema 'public'",
    'revoked from PUBLIC the functions that create and write large objects',
  ])
  expect(await tryAsReader(pipeline, forbidden)).toEqual([])
  expect(await prepareSchema(options, {})).toEqual([])
})
