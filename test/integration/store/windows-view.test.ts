// kpi_windows: when a row is forming, closed or incomplete.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { partialOf } from '../../../src/kpi/partial.ts'
import { acceptGap, type Gap } from '../../../src/store/positions/gaps.ts'
import { StoreScene } from '../scenes/store-scene.ts'

const second = 1_000_000
const windowUs = 300 * second
/** Of the default definition. */
const latenessUs = 120 * second
/** 2026-02-14T14:30:00Z, long over. */
const startUs = 1_771_079_400 * second
const finalUs = startUs + windowUs + latenessUs

let scene: StoreScene

beforeAll(async () => {
  scene = await StoreScene.open({ partitions: 3 })
})

afterAll(() => scene[Symbol.asyncDispose]())

beforeEach(async () => {
  await scene.owner.query({
    text: `WITH rows AS (DELETE FROM kpi_market_prices), gaps AS (DELETE FROM kpi_gaps)
      UPDATE kpi_consumer_offsets SET next_offset = 0, merged = 0, without_message = 0, lost = 0, watermark_us = -1, idle_since = NULL`,
  })
})

/** One message of a symbol in a partition; the partition's watermark is what it was, unless said. */
async function merge(options: {
  symbol?: string
  partition?: number
  startUs?: number
  atUs?: number
  watermarkUs?: number
}): Promise<void> {
  const {
    symbol = 'A',
    partition = 0,
    startUs: windowStartUs = startUs,
    atUs = windowStartUs,
    watermarkUs = -1,
  } = options
  const positions = await scene.counters()
  const from = positions[partition]?.[0] ?? 0
  const bar = { symbol, timestampUs: atUs, open: 1n, high: 1n, low: 1n, close: 1n, volume: 1n }
  const row = partialOf(bar, { windowStartUs, partition, offset: from, isLate: false })
  await scene.commit(scene.owner, [{ partition, from, merged: 1, watermarkUs }], [row])
}

async function pass(partition: number, watermarkUs: number): Promise<void> {
  const positions = await scene.counters()
  await scene.commit(scene.owner, [{ partition, from: positions[partition]?.[0] ?? 0, withoutMessage: 1, watermarkUs }])
}

async function idle(partition: number, forSeconds: number): Promise<void> {
  await scene.owner.query({
    text: 'UPDATE kpi_consumer_offsets SET idle_since = now() - make_interval(secs => $2) WHERE partition = $1',
    values: [partition, forSeconds],
  })
}

/** The state of each row, by symbol and then by window. */
async function states(): Promise<string[]> {
  const rows = await scene.owner.query<{ state: string }>({
    text: 'SELECT window_state AS state FROM kpi_windows ORDER BY symbol, window_start',
  })
  return rows.map(({ state }) => state)
}

describe('a row', () => {
  it('is forming until its partition is past its end and the lateness', async () => {
    await merge({})
    expect(await states()).toEqual(['forming'])
    await pass(0, finalUs)
    expect(await states()).toEqual(['forming'])
    await pass(0, finalUs + 1)
    expect(await states()).toEqual(['closed'])
  })

  it('does not close because other partitions are past it', async () => {
    await merge({})
    await pass(1, finalUs + 1)
    await pass(2, finalUs + 1)
    expect(await states()).toEqual(['forming'])
  })

  it('with messages of two partitions closes when both are past it, in either order', async () => {
    for (const [symbol, first, last] of [
      ['A', 0, 1],
      ['B', 1, 0],
    ] as const) {
      await merge({ symbol, partition: first, atUs: startUs })
      await merge({ symbol, partition: last, atUs: startUs + 1 })
    }
    await pass(0, finalUs + 1)
    expect(await states()).toEqual(['forming', 'forming'])
    await pass(1, finalUs + 1)
    expect(await states()).toEqual(['closed', 'closed'])
  })

  it('that late messages come to stays closed', async () => {
    await merge({})
    await pass(0, finalUs + 1)
    await merge({})
    expect(await states()).toEqual(['closed'])
  })

  it('of a partition without a position is forming', async () => {
    await merge({ partition: 2 })
    await scene.owner.query({ text: 'DELETE FROM kpi_consumer_offsets WHERE partition = 2' })
    expect(await states()).toEqual(['forming'])
    await scene.openPositions(scene.owner, new Map([[2, 0]]))
  })
})

describe('silence', () => {
  it('closes a row after a window and the lateness at the end of the log', async () => {
    await merge({ watermarkUs: startUs })
    await idle(0, 400)
    expect(await states()).toEqual(['forming'])
    await idle(0, 440)
    expect(await states()).toEqual(['closed'])
    // The next message ends it.
    await merge({ watermarkUs: startUs })
    expect(await states()).toEqual(['forming'])
  })

  it('of one of two partitions closes a row that the other one is past', async () => {
    await merge({ partition: 0 })
    await merge({ partition: 1, atUs: startUs + 1 })
    await idle(0, 440)
    expect(await states()).toEqual(['forming'])
    await pass(1, finalUs + 1)
    expect(await states()).toEqual(['closed'])
  })

  it('closes no window that is not over by the clock', async () => {
    const nowUs = Date.now() * 1000
    const runningUs = nowUs - (nowUs % windowUs)
    await merge({ symbol: 'A', startUs: runningUs })
    await merge({ symbol: 'B', startUs: runningUs - 5 * windowUs })
    await idle(0, 10_000)
    expect(await states()).toEqual(['forming', 'closed'])
  })
})

describe('a gap', () => {
  const gapOf = (partition: number, fromEventUs: number, toEventUs: number): Gap => ({
    ...{ partition, kind: 'deleted', fromOffset: 0, toOffset: 0, fromEventUs, toEventUs },
  })

  async function accept(gap: Gap): Promise<void> {
    const from = (await scene.counters())[gap.partition]?.[0] ?? 0
    await acceptGap(scene.owner, scene.key, scene.definitionId, { ...gap, fromOffset: from, toOffset: from + 10 })
  }

  it('makes the windows it may touch incomplete, closed or not, and no others', async () => {
    for (const window of [0, 1, 2, 3, 4]) await merge({ startUs: startUs + window * windowUs })
    await merge({ symbol: 'B', partition: 1, startUs: startUs + 2 * windowUs })
    await pass(0, finalUs + 3 * windowUs + 1)
    // From the last instant of window 1 to the first one of window 3.
    await accept(gapOf(0, startUs + 2 * windowUs - 1, startUs + 3 * windowUs))
    expect(await states()).toEqual(['closed', 'incomplete', 'incomplete', 'incomplete', 'forming', 'forming'])
  })

  it('that begins where a window ends does not touch it', async () => {
    await merge({})
    await pass(0, finalUs + 1)
    await accept(gapOf(0, startUs + windowUs, startUs + 9 * windowUs))
    expect(await states()).toEqual(['closed'])
  })

  it('touches a row that only its first message, or its last, has from there', async () => {
    await merge({ symbol: 'A', partition: 0 })
    await merge({ symbol: 'A', partition: 1, atUs: startUs + 1 })
    await merge({ symbol: 'B', partition: 1 })
    await merge({ symbol: 'B', partition: 0, atUs: startUs + 1 })
    await merge({ symbol: 'C', partition: 1 })
    await accept(gapOf(0, startUs, startUs + windowUs))
    expect(await states()).toEqual(['incomplete', 'incomplete', 'forming'])
  })
})

it('has the columns of the table and the state, for those who may only read, too', async () => {
  const [found] = await scene.owner.query<{ extra: string[]; readable: boolean }>({
    text: `SELECT
        has_table_privilege('bi_reader', 'kpi_windows', 'SELECT') AS readable,
        ARRAY(
          SELECT attname::text FROM pg_attribute WHERE attrelid = 'kpi_windows'::regclass
          EXCEPT SELECT attname::text FROM pg_attribute WHERE attrelid = 'kpi_market_prices'::regclass
        ) AS extra`,
  })
  expect(found).toEqual({ extra: ['window_state'], readable: true })
})

it('is planned as what it is, one pass over the rows, without anybody analysing the small tables', async () => {
  const [plan] = await scene.owner.query<{ 'QUERY PLAN': [{ Plan: { 'Total Cost': number } }] }>({
    text: 'EXPLAIN (FORMAT JSON) SELECT window_state, count(*) FROM kpi_windows GROUP BY 1',
  })
  // From 100,000 on a server compiles the query first, for longer than it runs.
  expect(plan?.['QUERY PLAN'][0].Plan['Total Cost']).toBeLessThan(50_000)
})
