// What the roles may do, and what becomes of a database whose topic was made anew.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { partialOf } from '../../../src/kpi/partial.ts'
import type { Database } from '../../../src/store/client/connection.ts'
import { checkDefinition } from '../../../src/store/schema/definition.ts'
import { acceptNewTopic, prepareSchema, recordDefinition } from '../../../src/store/schema/schema.ts'
import { StoreScene } from '../scenes/store-scene.ts'

let scene: StoreScene
let worker: Database

beforeAll(async () => {
  scene = await StoreScene.open()
  worker = await scene.worker()
})

afterAll(() => scene[Symbol.asyncDispose]())

describe('the pipeline’s role', () => {
  it.each([
    'UPDATE kpi_definition SET window_seconds = 1',
    'DELETE FROM kpi_definition',
    'DELETE FROM kpi_migrations',
    'DROP TABLE kpi_market_prices',
    'CREATE TABLE mine (x integer)',
    'ALTER TABLE kpi_market_prices ADD COLUMN x integer',
    'TRUNCATE kpi_market_prices',
  ])('may not: %s', async (text) => {
    await expect(worker.query({ text })).rejects.toMatchObject({ code: 'KPI_POSTGRES_RIGHTS' })
  })

  it('may read and write the rest', async () => {
    expect(await checkDefinition(worker, scene.definition)).toBe(scene.definitionId)
    for (const table of ['kpi_market_prices', 'kpi_consumer_offsets', 'dead_letters', 'kpi_gaps', 'worker_status']) {
      const [may] = await worker.query<{ all: boolean }>({
        text: `SELECT has_table_privilege($1, 'SELECT') AND has_table_privilege($1, 'INSERT')
          AND has_table_privilege($1, 'UPDATE') AND has_table_privilege($1, 'DELETE') AS all`,
        values: [table],
      })
      expect([table, may?.all]).toEqual([table, true])
    }
  })
})

it('the readers’ role may read every table and view, and nothing else', async () => {
  const [found] = await scene.owner.query<{ readable: boolean; writable: boolean }>({
    text: `SELECT bool_and(has_table_privilege('bi_reader', oid, 'SELECT')) AS readable,
        bool_or(has_table_privilege('bi_reader', oid, 'INSERT') OR has_table_privilege('bi_reader', oid, 'UPDATE')
          OR has_table_privilege('bi_reader', oid, 'DELETE')) AS writable
      FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')`,
  })
  expect(found).toEqual({ readable: true, writable: false })
  const [functions] = await scene.owner.query<{ may: string[] }>({
    text: `SELECT ARRAY(SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef
        AND has_function_privilege('bi_reader', oid, 'EXECUTE')) AS may`,
  })
  // Those run with the owner's rights.
  expect(functions?.may).toEqual([])
})

it('rows and letters of a topic that was made anew are kept apart, and the next topic begins from nothing', async () => {
  await using fresh = await StoreScene.open()
  const bar = { symbol: 'A', timestampUs: 5, open: 1n, high: 1n, low: 1n, close: 1n, volume: 1n }
  const row = partialOf(bar, { windowStartUs: 0, partition: 0, offset: 0, isLate: false })
  const letter = {
    partition: 0,
    offset: 1,
    reason: 'not_json',
    detail: 'x',
    payload: null,
    key: null,
    timestampMs: null,
  }
  await fresh.commit(fresh.owner, [{ partition: 0, from: 0, merged: 1, rejected: 1 }], [row], [letter])
  const next = { ...fresh.definition, topicId: '00000000-0000-0000-0000-000000000002' }
  await expect(recordDefinition(fresh.ownerOptions, next)).rejects.toMatchObject({ code: 'KPI_TOPIC_RECREATED' })
  // Only the topic: a changed window length with it is refused.
  const accepting = acceptNewTopic(fresh.ownerOptions, { ...next, windowSeconds: 60 })
  await expect(accepting).rejects.toMatchObject({ code: 'KPI_DEFINITION_MISMATCH' })
  expect(await fresh.count('kpi_market_prices')).toBe(1)
  expect(await acceptNewTopic(fresh.ownerOptions, next)).toHaveLength(1)
  expect(await acceptNewTopic(fresh.ownerOptions, next)).toEqual([])
  expect([await fresh.count('kpi_market_prices'), await fresh.count('dead_letters')]).toEqual([0, 0])
  expect(await fresh.counters()).toEqual([])
  const archived = await fresh.owner.query<{ topic_id: string; symbol: string; letter_offset: number }>({
    text: `SELECT p.topic_id, row_data->>'symbol' AS symbol, (letter->>'message_offset')::integer AS letter_offset
      FROM kpi_archived_prices p JOIN kpi_archived_letters USING (topic_id)`,
  })
  expect(archived).toEqual([{ topic_id: fresh.definition.topicId, symbol: 'A', letter_offset: 1 }])
  expect(await checkDefinition(fresh.owner, next)).not.toBe(fresh.definitionId)
})

it('preparing again, by several at once, finds nothing to do', async () => {
  const done = await Promise.all([1, 2, 3].map(() => prepareSchema(scene.ownerOptions, {})))
  expect(done).toEqual([[], [], []])
  expect(await recordDefinition(scene.ownerOptions, scene.definition)).toEqual([])
})
