import { expect, it } from 'vitest'
import { seed } from '../../seed.ts'
import {
  countersOf,
  expectedRows,
  makeTrades,
  marketOpenMs,
  send,
  sendTrades,
  shuffled,
  tableRows,
} from '../scenes/market.ts'
import { makePipeline } from '../scenes/pipeline.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'

const symbols = ['AAPL', 'MSFT', 'BTC/USDT', 'BRK.B', 'EURUSD=X', '^GSPC', 'X']

it('rows are exact', async () => {
  await using pipeline = await makePipeline()
  const { cluster, config, owner } = pipeline
  const trades = makeTrades({ seed, count: 20_000, symbols })
  const placed = await sendTrades(cluster, config.kafkaTopic, 3, trades)
  const worker = await startWorker(pipeline)
  await untilCounted(pipeline, trades.length)
  await worker.stop()
  expect(await tableRows(owner)).toEqual(expectedRows(placed))
})

it('rows are the same in any order, but for what came late', async () => {
  await using pipeline = await makePipeline()
  const { cluster, config, owner } = pipeline
  const trades = shuffled(makeTrades({ seed, count: 20_000, symbols }), seed)
  const placed = await sendTrades(cluster, config.kafkaTopic, 3, trades)
  const expected = expectedRows(placed)
  expect(expected.reduce((sum, row) => sum + row.late, 0)).toBeGreaterThan(1000)
  const worker = await startWorker(pipeline, { batchSize: 7, lanes: 1 })
  await untilCounted(pipeline, trades.length)
  await worker.stop()
  expect(await tableRows(owner)).toEqual(expected)
})

it('bad messages stand in dead_letters once, with reason and bytes, and stop nothing', async () => {
  await using pipeline = await makePipeline({ partitions: 1 })
  const { cluster, config, owner } = pipeline
  const time = new Date(marketOpenMs).toISOString()
  const good = `{"symbol":"A","timestamp":"${time}","close":1.5,"volume":2}`
  const bad = ['', '{"symbol":"A"', '[]', '{"symbol":"A"}', good.replace('"A"', '"A B"'), good.replace('2}', '-2}')]
  const values = [good, ...bad, good].map((value) => ({ symbol: 'A', value }))
  await send(cluster, config.kafkaTopic, values)
  const worker = await startWorker(pipeline)
  await untilCounted(pipeline, values.length)
  await worker.stop()
  const letters = await owner.query({
    text: `SELECT message_offset, reason, convert_from(payload, 'UTF8') AS payload, convert_from(key, 'UTF8') AS key
      FROM dead_letters ORDER BY message_offset`,
  })
  const reasons = ['empty', 'not_json', 'not_object', 'missing_field', 'bad_symbol', 'negative_volume']
  expect(letters).toEqual(
    reasons.map((reason, index) => ({ message_offset: index + 1, reason, payload: bad[index] || null, key: 'A' })),
  )
  expect(await countersOf(owner)).toMatchObject({ merged: 2, rejected: 6, positions: [8] })
})
