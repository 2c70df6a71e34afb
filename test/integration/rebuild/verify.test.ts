// verify, in this process: what it finds right, what it finds wrong, and what it leaves alone.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { seed } from '../../seed.ts'
import { makeTrades, marketOpenMs, messageText, send, shuffled } from '../scenes/market.ts'
import { makePipeline, type Pipeline } from '../scenes/pipeline.ts'
import { until } from '../scenes/until.ts'
import { deleteRecords, verifyPipeline } from '../scenes/verification.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'

const symbols = ['AAPL', 'MSFT', 'BTC/USDT', 'BRK.B', 'EURUSD=X', '^GSPC']
/** Whether the smallest mistake in a sum shows in a rounded figure too depends on the data: always the same here. */
const damagedSeed = 1
const allRight = { differenceCount: 0, uncheckedCount: 0, differences: [], unchecked: [], holes: [] }

/** Sends values, and lets a worker bring them into the tables. */
async function throughWorker(pipeline: Pipeline, values: readonly { symbol: string; value: string }[], counted = 0) {
  await send(pipeline.cluster, pipeline.config.kafkaTopic, values)
  const worker = await startWorker(pipeline)
  await untilCounted(pipeline, counted + values.length)
  await worker.stop()
}

const bad = ['', '{"symbol":"A"', '[]', '{"symbol":"A"}'].map((value) => ({ symbol: 'AAPL', value }))
const tradeValues = (count: number, of = seed) =>
  makeTrades({ seed: of, count, symbols }).map((trade) => ({ symbol: trade.symbol, value: messageText(trade) }))

describe('after a worker', () => {
  it('everything is as the log says: rows of messages in any order, letters, counters', async () => {
    await using pipeline = await makePipeline()
    const values = shuffled([...tradeValues(8000), ...bad, ...bad], seed)
    await throughWorker(pipeline, values)
    const report = await verifyPipeline(pipeline)
    expect(report).toMatchObject({ ...allRight, messages: values.length, letters: 8, passes: 1 })
    expect(report.rows).toBeGreaterThan(30)
  })

  it('an empty database of an empty topic is right too', async () => {
    await using pipeline = await makePipeline()
    expect(await verifyPipeline(pipeline)).toMatchObject({ ...allRight, messages: 0, rows: 0 })
  })

  it('a range narrows the rows; many rows take several passes', async () => {
    await using pipeline = await makePipeline()
    await throughWorker(pipeline, tradeValues(3000))
    const all = await verifyPipeline(pipeline)
    const sliced = await verifyPipeline(pipeline, { rowsAtOnce: 10 })
    expect(sliced).toMatchObject({ ...allRight, rows: all.rows, messages: 3000 * sliced.passes })
    expect(sliced.passes).toBeGreaterThan(2)
    const filter = { symbols: ['AAPL', 'MSFT'], fromUs: marketOpenMs * 1000, toUs: (marketOpenMs + 600_000) * 1000 }
    expect(await verifyPipeline(pipeline, { filter })).toMatchObject({ ...allRight, rows: 4, messages: 3000 })
  })

  it('it is right at every moment while messages flow and workers write', async () => {
    await using pipeline = await makePipeline()
    const worker = await startWorker(pipeline, { batchWaitMs: 5 })
    const values = shuffled([...tradeValues(20_000), ...bad], seed)
    const look = async () => {
      const report = await verifyPipeline(pipeline)
      expect(report).toMatchObject(allRight)
      return report.messages
    }
    const half = values.length / 2
    await send(pipeline.cluster, pipeline.config.kafkaTopic, values.slice(0, half))
    await Promise.all([send(pipeline.cluster, pipeline.config.kafkaTopic, values.slice(half)), look()])
    await until('all messages verified', look, (messages) => messages === values.length)
    await worker.stop()
  })
})

describe('it finds', () => {
  let pipeline: Pipeline
  const tables = ['kpi_market_prices', 'dead_letters', 'kpi_consumer_offsets']

  beforeAll(async () => {
    pipeline = await makePipeline({ partitions: 2 })
    await throughWorker(pipeline, [...tradeValues(600, damagedSeed), ...bad])
    for (const table of tables) await run(`CREATE TABLE saved_${table} AS TABLE ${table}`)
  })

  afterEach(async () => {
    const generated = ['avg_close', 'vwap', 'price_volatility', 'close_stddev']
    for (const table of tables) {
      const found = await pipeline.owner.query<{ name: string }>({
        text: 'SELECT column_name AS name FROM information_schema.columns WHERE table_name = $1',
        values: [table],
      })
      const columns = found.map(({ name }) => name).filter((name) => !generated.includes(name))
      await run(`TRUNCATE ${table}`)
      await run(`INSERT INTO ${table} (${columns.join(', ')}) SELECT ${columns.join(', ')} FROM saved_${table}`)
    }
    expect(await verifyPipeline(pipeline)).toMatchObject(allRight)
  })

  afterAll(() => pipeline[Symbol.asyncDispose]())

  const run = (text: string) => pipeline.owner.query({ text })
  const aRow = `(symbol, window_start) IN (SELECT symbol, window_start FROM kpi_market_prices
    WHERE symbol = 'MSFT' ORDER BY window_start LIMIT 1)`

  it.each([
    ['trade_count', 'trade_count + 1', ['trade_count', 'avg_close', 'close_stddev']],
    ['sum_close', 'sum_close + 0.00000001', ['sum_close']],
    ['sum_close', 'sum_close + 0.001', ['sum_close', 'avg_close', 'close_stddev']],
    ['sum_close_sq', 'sum_close_sq + 1000', ['sum_close_sq', 'close_stddev']],
    ['sum_close_volume', 'sum_close_volume * 2', ['vwap', 'sum_close_volume']],
    ['total_volume', 'total_volume * 2', ['total_volume', 'vwap']],
    ['min_close', 'min_close - 0.00000001', ['min_close', 'price_volatility']],
    ['max_close', 'max_close + 0.00000001', ['max_close', 'price_volatility']],
    ['open_price', 'open_price + 1', ['open_price']],
    ['high_price', 'high_price + 1', ['high_price']],
    ['low_price', 'low_price + 1', ['low_price']],
    ['close_price', 'close_price + 1', ['close_price']],
    ['window_end', "window_end + interval '1 second'", ['window_end']],
    ['first_event_at', "first_event_at - interval '1 microsecond'", ['first_event_at']],
    ['last_event_at', "last_event_at + interval '1 microsecond'", ['last_event_at']],
    ['late_count', 'late_count + 1', ['late_count']],
    ['first_partition', 'first_partition + 1', ['first_partition']],
    ['first_offset', 'first_offset + 1', ['first_offset']],
    ['last_partition', 'last_partition + 1', ['last_partition']],
    ['last_offset', 'last_offset + 1', ['last_offset']],
  ])('a wrong %s', async (column, wrong, found) => {
    await run(`UPDATE kpi_market_prices SET ${column} = ${wrong} WHERE ${aRow}`)
    const { differences } = await verifyPipeline(pipeline)
    const ofTheRow = differences.filter(({ symbol }) => symbol !== undefined)
    expect(ofTheRow.map((difference) => difference.column).sort()).toEqual([...found].sort())
    for (const place of ofTheRow) expect(place).toMatchObject({ symbol: 'MSFT', window: '2026-02-14T14:30:00Z' })
  })

  it('a row too few, one too many, and the sum of both', async () => {
    await run(`DELETE FROM kpi_market_prices WHERE ${aRow}`)
    const { differences } = await verifyPipeline(pipeline)
    expect(differences).toEqual([
      { column: 'sum of trade_count', table: expect.any(String), recomputed: '600' },
      { symbol: 'MSFT', window: '2026-02-14T14:30:00Z', column: 'row', table: null, recomputed: expect.any(String) },
    ])
    await run(`UPDATE kpi_market_prices SET symbol = 'TSLA' WHERE symbol = 'AAPL'`)
    const columns = (await verifyPipeline(pipeline)).differences.map(({ symbol, column }) => `${symbol} ${column}`)
    expect(new Set(columns)).toEqual(new Set(['undefined sum of trade_count', 'AAPL row', 'TSLA row', 'MSFT row']))
  })

  it('a value that is no number', async () => {
    await run(`UPDATE kpi_market_prices SET open_price = 'NaN' WHERE ${aRow}`)
    expect((await verifyPipeline(pipeline)).differences).toMatchObject([{ column: 'open_price', table: 'NaN' }])
  })

  it('a letter too few', async () => {
    await run(
      'DELETE FROM dead_letters WHERE (partition, message_offset) IN (SELECT partition, max(message_offset) FROM dead_letters GROUP BY partition)',
    )
    const { differences } = await verifyPipeline(pipeline)
    expect(differences).toMatchObject([
      { column: 'letter', table: null, recomputed: 'missing_field' },
      { column: 'dead_letters', table: '3', recomputed: '4' },
    ])
  })

  it('a letter of a message that is accepted, and one beyond the position', async () => {
    const { partition } = (
      await pipeline.owner.query<{ partition: number }>({ text: 'SELECT partition FROM dead_letters LIMIT 1' })
    )[0] ?? { partition: 0 }
    await run(`INSERT INTO dead_letters (topic, partition, message_offset, reason)
      SELECT topic, ${partition}, offset_, 'empty' FROM kpi_definition, unnest(ARRAY[0, 100000]) AS offset_`)
    const { differences } = await verifyPipeline(pipeline)
    expect(differences).toMatchObject([
      { partition, offset: 0, column: 'letter', table: 'empty', recomputed: null },
      { partition, offset: 100_000, column: 'letter', table: 'empty', recomputed: null },
      { partition, column: 'dead_letters' },
    ])
  })

  it('a letter with another reason', async () => {
    await run(`UPDATE dead_letters SET reason = 'bad_symbol' WHERE reason = 'not_object'`)
    const { differences } = await verifyPipeline(pipeline)
    expect(differences).toMatchObject([{ column: 'reason', table: 'bad_symbol', recomputed: 'not_object' }])
  })

  it.each([
    [
      'merged',
      'merged = merged + 1, without_message = without_message - 1',
      ['merged', 'without_message', 'sum of trade_count'],
    ],
    [
      'rejected',
      'rejected = rejected + 1, merged = merged - 1',
      ['merged', 'rejected', 'dead_letters', 'sum of trade_count'],
    ],
    ['retried', 'retried = retried + 1', ['retried', 'sum of trade_count']],
    ['purged', 'purged = purged + 1', ['dead_letters']],
    ['watermark', 'watermark_us = watermark_us + 1', ['watermark_us']],
  ])('a wrong count of %s', async (_what, change, found) => {
    await run(`UPDATE kpi_consumer_offsets SET ${change} WHERE partition = 0`)
    const { differences } = await verifyPipeline(pipeline)
    expect(differences.map(({ column }) => column).sort()).toEqual([...found].sort())
  })

  it('all of them, and shows the first', async () => {
    await run('UPDATE kpi_market_prices SET open_price = open_price + 1, close_price = close_price + 1')
    const report = await verifyPipeline(pipeline, { maxShown: 3 })
    expect(report.differences).toHaveLength(3)
    expect(report.differenceCount).toBe(2 * report.rows)
  })

  it('rows that are missing by the thousand, without keeping them all in memory', async () => {
    await run('TRUNCATE kpi_market_prices')
    const report = await verifyPipeline(pipeline, { rowsAtOnce: 5 })
    expect(report.differences.at(-1)).toMatchObject({
      column: 'row',
      recomputed: expect.stringMatching(/more windows/),
    })
    expect(report.differenceCount).toBe(12)
  })
})

describe('what the log no longer holds', () => {
  it('is left alone, and everything else is compared', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    await throughWorker(pipeline, [...tradeValues(1000), ...bad])
    await deleteRecords(pipeline, 0, 500)
    const report = await verifyPipeline(pipeline, { maxShown: 100 })
    // Half of half an hour is gone: three windows of six symbols, the last of them in part or just not.
    expect(report).toMatchObject({ differenceCount: 0, messages: 504 })
    expect(report.holes).toMatchObject([{ partition: 0, from: 0, to: 500, why: 'deleted' }])
    const starts = new Set(report.unchecked.map(({ window }) => window))
    expect([...starts].sort()).toEqual(['2026-02-14T14:30:00Z', '2026-02-14T14:35:00Z', '2026-02-14T14:40:00Z'])
    expect(report.uncheckedCount).toBe(18)

    await pipeline.owner.query({ text: 'UPDATE kpi_market_prices SET open_price = open_price + 1' })
    const wrong = await verifyPipeline(pipeline, { maxShown: 100 })
    expect(wrong).toMatchObject({ uncheckedCount: 18, differenceCount: wrong.rows - 18 })
    expect(wrong.differences.every(({ column }) => column === 'open_price')).toBe(true)
  })

  it('is no excuse for a row that is too small, nor for one that is later than all of it', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    await throughWorker(pipeline, tradeValues(1000))
    await deleteRecords(pipeline, 0, 100)
    const last = `(SELECT max(window_start) FROM kpi_market_prices)`
    await pipeline.owner.query({
      text: `UPDATE kpi_market_prices SET trade_count = trade_count - 1 WHERE window_start = ${last} AND symbol = 'AAPL'`,
    })
    const tooSmall = await verifyPipeline(pipeline, { maxShown: 100 })
    expect(tooSmall.differences).toContainEqual(expect.objectContaining({ symbol: 'AAPL', column: 'trade_count' }))
    expect(tooSmall.uncheckedCount).toBe(6)
    // What was deleted is not later than the watermark: this window is.
    const beyond = `to_timestamp(watermark_us / 1000000 + 1)`
    await pipeline.owner.query({
      text: `UPDATE kpi_market_prices SET window_start = ${beyond} FROM kpi_consumer_offsets
        WHERE window_start = ${last} AND symbol = 'MSFT'`,
    })
    const tooLate = await verifyPipeline(pipeline, { maxShown: 100 })
    expect(tooLate.differences).toContainEqual(
      expect.objectContaining({ symbol: 'MSFT', column: 'row', recomputed: null }),
    )
  })

  it('may be all of it', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    await throughWorker(pipeline, tradeValues(100))
    await deleteRecords(pipeline, 0, 100)
    const report = await verifyPipeline(pipeline)
    expect(report).toMatchObject({ differenceCount: 0, messages: 0, uncheckedCount: report.rows })
    expect(report.holes).toMatchObject([{ from: 0, to: 100, why: 'deleted' }])
  })

  it('leaves late_count between two bounds', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    // The latest message first: whether the others are late is told by the part of the log that goes.
    const [first, ...others] = tradeValues(200).reverse()
    await throughWorker(pipeline, first ? [first, ...others] : [])
    const [before] = await pipeline.owner.query<{ late: number }>({
      text: 'SELECT sum(late_count)::bigint AS late FROM kpi_market_prices',
    })
    expect(before?.late).toBeGreaterThan(50)
    await deleteRecords(pipeline, 0, 1)
    expect(await verifyPipeline(pipeline)).toMatchObject({ differenceCount: 0, uncheckedCount: 1 })
    await pipeline.owner.query({ text: 'UPDATE kpi_market_prices SET late_count = trade_count + 1' })
    const { differences } = await verifyPipeline(pipeline)
    expect(differences.length).toBeGreaterThan(0)
    expect(new Set(differences.map(({ column }) => column))).toEqual(new Set(['late_count']))
  })
})
