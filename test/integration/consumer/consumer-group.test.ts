// Workers that come, go, freeze and wake up.
import { expect, it } from 'vitest'
import { seed } from '../../seed.ts'
import {
  countersOf,
  expectedRows,
  makeTrades,
  messageText,
  place,
  send,
  sendTrades,
  tableRows,
} from '../scenes/market.ts'
import { makePipeline } from '../scenes/pipeline.ts'
import { marketKpi } from '../scenes/processes.ts'
import { until } from '../scenes/until.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'

const symbols = Array.from({ length: 40 }, (_, index) => `SYM${index}`)

it('two workers and a third that joins and leaves count everything once', async () => {
  await using pipeline = await makePipeline({ partitions: 6 })
  const { cluster, config, owner } = pipeline
  const trades = makeTrades({ seed, count: 60_000, symbols })
  const half = trades.length / 2
  const nextOffsets: number[] = []
  const workers = [await startWorker(pipeline), await startWorker(pipeline)]
  const asValues = (list: typeof trades) => list.map((trade) => ({ symbol: trade.symbol, value: messageText(trade) }))
  await send(cluster, config.kafkaTopic, asValues(trades.slice(0, half)))
  const third = await startWorker(pipeline)
  await until(
    'three workers with two partitions each',
    () => [...workers, third].map(({ worker }) => worker.figures.partitions.length),
    (counts) => counts.every((count) => count === 2),
  )
  const sending = send(cluster, config.kafkaTopic, asValues(trades.slice(half)))
  await third.stop()
  await sending
  await untilCounted(pipeline, trades.length)
  await Promise.all(workers.map((worker) => worker.stop()))
  expect(await tableRows(owner)).toEqual(expectedRows(place(trades, 6, nextOffsets)))
  expect((await countersOf(owner)).merged).toBe(trades.length)
})

it('a zombie that wakes up after a rebalance cannot commit', async () => {
  await using pipeline = await makePipeline()
  const { cluster, config, env, owner } = pipeline
  const trades = makeTrades({ seed, count: 20_000, symbols })
  const nextOffsets: number[] = []
  const zombie = marketKpi(['consume', '--http-port', '0', '--batch-wait-ms', '300'], env)
  await until('a zombie that works', zombie.stderr, (text) => text.includes('working'))
  const first = await sendTrades(cluster, config.kafkaTopic, 3, trades.slice(0, 10_000))
  place(trades.slice(0, 10_000), 3, nextOffsets)
  await until(
    'something counted',
    () => countersOf(owner),
    ({ merged }) => merged > 0,
  )
  zombie.child.kill('SIGSTOP')
  const worker = await startWorker(pipeline)
  await until(
    'everything taken over',
    () => worker.worker.figures.partitions.length,
    (count) => count === 3,
  )
  const values = trades.slice(10_000).map((trade) => ({ symbol: trade.symbol, value: messageText(trade) }))
  await send(cluster, config.kafkaTopic, values)
  await untilCounted(pipeline, trades.length)
  zombie.child.kill('SIGCONT')
  await until(
    'the zombie back in the group',
    () => worker.worker.figures.partitions.length,
    (count) => count < 3,
  )
  zombie.child.kill('SIGTERM')
  expect(await zombie.exited, zombie.stderr()).toEqual({ code: 0, signal: null })
  await worker.stop()
  const placed = [...first, ...place(trades.slice(10_000), 3, nextOffsets)]
  expect(await tableRows(owner)).toEqual(expectedRows(placed))
  expect((await countersOf(owner)).merged).toBe(trades.length)
})
