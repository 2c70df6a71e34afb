// Whoever can log in to the database can take any advisory lock. No part of the pipeline may depend on one that somebody else
// can hold: here bi_reader holds every one that it can know of.

import pg from 'pg'
import { afterEach, beforeEach, expect, inject, it } from 'vitest'
import { readerRole } from '../../../src/embedded/postgres/postgres-server.ts'
import { postgresOptions } from '../../../src/store/client/connection.ts'
import { prepareSchema } from '../../../src/store/schema/schema.ts'
import { AlertReceiver, watchAlerts } from '../scenes/alerting.ts'
import { makePipeline, type Pipeline } from '../scenes/pipeline.ts'
import { marketKpi, type Run } from '../scenes/processes.ts'
import { rebuildPipeline } from '../scenes/rebuilding.ts'
import { until } from '../scenes/until.ts'

const running: Run[] = []
let pipeline: Pipeline
let receiver: AlertReceiver
let attacker: pg.Client

beforeEach(async () => {
  pipeline = await makePipeline()
  receiver = await AlertReceiver.start()
  attacker = await asReader('the attacker')
})

afterEach(async () => {
  for (const { child } of running) child.kill('SIGKILL')
  await Promise.all(running.splice(0).map(({ exited }) => exited))
  await attacker.end()
  await receiver.stop()
  await pipeline[Symbol.asyncDispose]()
})

async function asReader(application: string, where = pipeline.ownerUrl): Promise<pg.Client> {
  const url = new URL(where)
  url.username = readerRole
  url.password = inject('readerPassword')
  const client = new pg.Client({ connectionString: url.href, application_name: application })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

/** The names of earlier versions, node-pg-migrate's own, and all that anybody holds now. */
async function takeAllLocks(): Promise<void> {
  for (const name of ['market-kpi alerts', 'market-kpi rebuild', 'market-kpi grants']) {
    await attacker.query('SELECT pg_try_advisory_lock(hashtextextended($1, 0))', [name])
  }
  await attacker.query('SELECT pg_try_advisory_lock(7241865325823964)')
}

function prepare(databaseUrl = pipeline.ownerUrl) {
  const options = postgresOptions({ ...pipeline.config, databaseUrl })
  const passwords = { bi_user: inject('pipelinePassword'), bi_reader: inject('readerPassword') }
  return prepareSchema(options, passwords)
}

async function watch(...args: string[]): Promise<Run> {
  const run = watchAlerts(pipeline.env, receiver, ...args)
  running.push(run)
  await until('watching', run.stderr, (said) => /this evaluator is (the leader|on standby)/.test(said))
  return run
}

const leads = (said: string) => said.includes('this evaluator is the leader')

it('init and rebuild do not notice', async () => {
  await takeAllLocks()
  expect(await prepare()).toEqual([])
  expect((await rebuildPipeline(pipeline)).rows).toMatchObject({ added: 0, changed: 0, removed: 0 })
})

it('migrations of a new database do not notice', async () => {
  const name = `${new URL(pipeline.ownerUrl).pathname.slice(1)}-new`
  const url = new URL(pipeline.ownerUrl)
  url.pathname = `/${name}`
  await pipeline.owner.query({ text: `CREATE DATABASE "${name}"` })
  try {
    await attacker.end()
    attacker = await asReader('the attacker', url.href)
    await takeAllLocks()
    const done = await prepare(url.href)
    expect(done).toContain('applied the migration 0001_windows-and-positions')
  } finally {
    await attacker.end()
    await pipeline.owner.query({ text: `DROP DATABASE "${name}" WITH (FORCE)` })
    attacker = await asReader('the attacker')
  }
})

it('an evaluator leads all the same, and the next one when it dies', async () => {
  await takeAllLocks()
  const first = await watch()
  await until('leads', first.stderr, leads)
  // The leader's own lock shows in pg_locks: the attacker waits for it, to have it when the leader is gone.
  const { rows } = await attacker.query<{ key: string }>('SELECT lock_key::text AS key FROM alert_leader')
  const waiting = await asReader('waiting')
  const got = waiting.query('SELECT pg_advisory_lock($1::bigint)', [rows[0]?.key])
  const second = await watch()
  expect(second.stderr()).toContain('on standby')
  await receiver.untilTold('NoConsumer', ['firing'])
  first.child.kill('SIGKILL')
  await got
  await until('taken over', second.stderr, leads, 20_000)
  await waiting.end()
})

it('bi_reader can neither write nor lock what says who leads', async () => {
  for (const text of [
    'SELECT FROM alert_leader FOR UPDATE',
    'SELECT FROM alert_leader FOR KEY SHARE',
    'UPDATE alert_leader SET pid = pg_backend_pid()',
    'LOCK TABLE alert_leader IN ROW SHARE MODE',
    'LOCK TABLE kpi_migrations IN ROW EXCLUSIVE MODE',
    'LOCK TABLE kpi_earlier_rows IN SHARE UPDATE EXCLUSIVE MODE',
  ]) {
    await expect(attacker.query(`BEGIN; ${text}`), text).rejects.toThrow(/permission denied/)
    await attacker.query('ROLLBACK')
  }
})

it('a leader that stands still is followed within two intervals, and nothing is sent twice', async () => {
  const first = await watch()
  await until('leads', first.stderr, leads)
  const second = await watch()
  process.kill(first.pid, 'SIGSTOP')
  try {
    await until('taken over', second.stderr, leads, 20_000)
    await receiver.untilTold('NoConsumer', ['firing'])
  } finally {
    process.kill(first.pid, 'SIGCONT')
  }
  await until('stepped back', first.stderr, (said) => said.includes('on standby'))
  expect(receiver.told('NoConsumer')).toEqual(['firing'])
})

it('init waits ten seconds for a lock on a table, and names who holds it', async () => {
  await attacker.query('BEGIN; SELECT FROM kpi_market_prices')
  const startMs = performance.now()
  const env = { ...pipeline.env, DATABASE_URL: pipeline.ownerUrl }
  const run = marketKpi(['init', '--partition-by', 'month'], env)
  running.push(run)
  expect(await run.exited).toMatchObject({ code: 1 })
  const elapsedMs = performance.now() - startMs
  expect(run.stderr()).toMatch(
    /^PostgreSQL at \S+: waited 10 s for a lock that the role 'bi_reader' \(application 'the attacker', pid \d+, since \S+Z\) holds: .*\n$/,
  )
  expect(elapsedMs).toBeGreaterThan(9500)
  expect(elapsedMs).toBeLessThan(25_000)
})

it('of two at once that prepare a database, the second waits for the first', async () => {
  const owner = new pg.Client({ connectionString: pipeline.ownerUrl, application_name: 'the first' })
  await owner.connect()
  await owner.query('BEGIN; LOCK TABLE kpi_migrations IN SHARE UPDATE EXCLUSIVE MODE')
  const second = prepare()
  await until(
    'waiting',
    () =>
      pipeline.owner.query({
        text: `SELECT FROM pg_locks WHERE NOT granted AND relation = 'kpi_migrations'::regclass`,
      }),
    (rows) => rows.length === 1,
  )
  await owner.query('COMMIT')
  expect(await second).toEqual([])
  await owner.end()
})
