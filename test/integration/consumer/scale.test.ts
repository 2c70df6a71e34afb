import { expect, it } from 'vitest'
import { seed } from '../../seed.ts'
import { expectedRows, makeTrades, sendTrades, tableRows } from '../scenes/market.ts'
import { makePipeline, type Pipeline } from '../scenes/pipeline.ts'
import { verifyPipeline } from '../scenes/verification.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'

/** Whatever the way it took: the rows are those of the messages, and `verify` finds them so. */
async function expectExact(pipeline: Pipeline, placed: Parameters<typeof expectedRows>[0]): Promise<void> {
  expect(await tableRows(pipeline.owner)).toEqual(expectedRows(placed))
  expect(await verifyPipeline(pipeline)).toMatchObject({ differences: [] })
}

it('rows are exact with 200 partitions and three workers', async () => {
  await using pipeline = await makePipeline({ partitions: 200 })
  const symbols = Array.from({ length: 500 }, (_, i) => `S${i}`)
  const trades = makeTrades({ seed, count: 20_000, symbols })
  const placed = await sendTrades(pipeline.cluster, pipeline.config.kafkaTopic, 200, trades)
  const workers = await Promise.all([1, 2, 3].map(() => startWorker(pipeline)))
  await untilCounted(pipeline, trades.length)
  await Promise.all(workers.map((worker) => worker.stop()))
  expect(new Set(placed.map(({ partition }) => partition)).size).toBeGreaterThan(150)
  await expectExact(pipeline, placed)
})

it('rows are exact with 20,000 symbols', async () => {
  await using pipeline = await makePipeline()
  const symbols = Array.from({ length: 20_000 }, (_, i) => `S${i}`)
  const trades = makeTrades({ seed, count: 30_000, symbols })
  const placed = await sendTrades(pipeline.cluster, pipeline.config.kafkaTopic, 3, trades)
  const worker = await startWorker(pipeline)
  await untilCounted(pipeline, trades.length)
  await worker.stop()
  await expectExact(pipeline, placed)
})

it('rows are exact when one symbol has nine tenths of the trades', async () => {
  await using pipeline = await makePipeline({ partitions: 12 })
  const symbols = Array.from({ length: 100 }, (_, i) => `S${i}`)
  const trades = makeTrades({ seed, count: 40_000, symbols }).map((trade, i) => {
    return i % 10 === 0 ? trade : { ...trade, symbol: 'HOT' }
  })
  const placed = await sendTrades(pipeline.cluster, pipeline.config.kafkaTopic, 12, trades)
  const workers = await Promise.all([1, 2].map(() => startWorker(pipeline, { batchSize: 50 })))
  await untilCounted(pipeline, trades.length)
  await Promise.all(workers.map((worker) => worker.stop()))
  await expectExact(pipeline, placed)
})
