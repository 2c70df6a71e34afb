import { expect, it } from 'vitest'
import { RecordingLog } from '../../recording-log.ts'
import { seed } from '../../seed.ts'
import { expectedRows, makeTrades, sendTrades, tableRows } from '../scenes/market.ts'
import { makePipeline } from '../scenes/pipeline.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'

/** A record batch of the producer has at most so many trades, and is reduced whole. */
const batchTrades = 2500
const maxPendingRows = 2000

it('a flood of made-up symbols slows the worker, is told, and leaves rows exact and memory bounded', async () => {
  await using pipeline = await makePipeline()
  const { cluster, config, owner } = pipeline
  const count = 24_000
  const symbols = Array.from({ length: count }, (_, i) => `MADE-UP-${i.toString(36)}`)
  const trades = makeTrades({ seed, count, symbols }).map((trade, i) => ({ ...trade, symbol: symbols[i] ?? '' }))
  const placed = await sendTrades(cluster, config.kafkaTopic, 3, trades)
  const log = new RecordingLog()
  const { worker, stop } = await startWorker(pipeline, {
    batchSize: 500,
    lanes: 1,
    maxPendingRows,
    log,
    // Where a batch is taken, whatever was deferred is pending already.
    onStep: (step) => {
      if (step === 'taken') mostPending = Math.max(mostPending, worker.figures.pendingRows)
    },
  })
  let mostPending = 0
  await untilCounted(pipeline, count)
  const { floodWaits, batches } = worker.figures
  await stop()
  expect(await tableRows(owner)).toEqual(expectedRows(placed))
  expect(mostPending).toBeGreaterThan(0)
  expect(mostPending).toBeLessThan(maxPendingRows + batchTrades)
  expect(batches).toBeGreaterThan(count / (maxPendingRows + batchTrades))
  expect(floodWaits).toBeGreaterThan(0)
  expect(
    log.lines.filter((line) => /^warn: very many symbols or windows at once: \d+ rows wait/.test(line)),
  ).toHaveLength(1)
})
