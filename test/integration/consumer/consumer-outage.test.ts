// Servers that stop under a working pipeline, and are started again.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { seed } from '../../seed.ts'
import {
  countersOf,
  expectedRows,
  makeTrades,
  messageText,
  type Placed,
  place,
  send,
  type Trade,
  tableRows,
} from '../scenes/market.ts'
import { makePipeline, type Pipeline, type Servers } from '../scenes/pipeline.ts'
import { until } from '../scenes/until.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'
import { OwnServers } from '../servers/own-servers.ts'
import { TcpProxy } from '../servers/tcp-proxy.ts'

const symbols = Array.from({ length: 20 }, (_, index) => `SYM${index}`)
const own = new OwnServers()
let servers: Servers

beforeAll(async () => {
  servers = await own.start()
})

afterAll(() => own.stop())

/** Sends trades one part after the other; offsets go on. */
function sender(pipeline: Pipeline): (part: readonly Trade[]) => Promise<Placed[]> {
  const nextOffsets: number[] = []
  return async (part) => {
    const values = part.map((trade) => ({ symbol: trade.symbol, value: messageText(trade) }))
    await send(pipeline.cluster, pipeline.config.kafkaTopic, values)
    return place(part, 3, nextOffsets)
  }
}

it('a database that does not answer is back-pressure, not a failure', async () => {
  await using pipeline = await makePipeline({ servers })
  const sendPart = sender(pipeline)
  const trades = makeTrades({ seed, count: 30_000, symbols })
  await using proxy = await TcpProxy.start(`127.0.0.1:${own.postgres.port}`)
  const url = new URL(pipeline.env.DATABASE_URL ?? '')
  url.port = String(proxy.port)
  const running = await startWorker({ config: { ...pipeline.config, databaseUrl: url.href } })
  const { worker } = running
  const placed = await sendPart(trades.slice(0, 10_000))
  await untilCounted(pipeline, 10_000)
  own.postgres.kill()
  await own.postgres.exited
  placed.push(...(await sendPart(trades.slice(10_000))))
  await until(
    'a worker that waits',
    () => worker.figures.state,
    (state) => state === 'database unavailable',
  )
  const { unreadOffsets } = worker.figures
  const before = proxy.connections
  await until(
    'ten more attempts to reach the database',
    () => proxy.connections - before,
    (attempts) => attempts >= 10,
  )
  expect(worker.figures).toMatchObject({ state: 'database unavailable', isGroupStable: true, partitions: [0, 1, 2] })
  expect(worker.figures.unreadOffsets).toBe(unreadOffsets)
  await own.startPostgres()
  await untilCounted(pipeline, trades.length)
  expect(worker.figures.state).toBe('reading')
  await running.stop()
  expect(await tableRows(pipeline.owner)).toEqual(expectedRows(placed))
  expect((await countersOf(pipeline.owner)).merged).toBe(trades.length)
})

it('every message is counted once when the broker is killed and started again', async () => {
  await using pipeline = await makePipeline({ servers })
  const sendPart = sender(pipeline)
  const trades = makeTrades({ seed, count: 30_000, symbols })
  const running = await startWorker(pipeline)
  const placed = await sendPart(trades.slice(0, 10_000))
  await untilCounted(pipeline, 10_000)
  own.kafka.kill()
  await own.kafka.exited
  await own.startKafka()
  placed.push(...(await sendPart(trades.slice(10_000))))
  await untilCounted(pipeline, trades.length)
  await running.stop()
  expect(await tableRows(pipeline.owner)).toEqual(expectedRows(placed))
  expect((await countersOf(pipeline.owner)).merged).toBe(trades.length)
})
