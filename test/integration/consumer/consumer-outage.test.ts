// Servers that go away under a working pipeline, and come back.
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
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

const symbols = Array.from({ length: 20 }, (_, index) => `SYM${index}`)
const seed = Number(process.env.FC_SEED ?? Date.now() % 1_000_000)
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

it(`a database that is away for 20 s is back-pressure, not a failure (seed ${seed})`, async () => {
  await using pipeline = await makePipeline({ servers })
  const sendPart = sender(pipeline)
  const trades = makeTrades({ seed, count: 30_000, symbols })
  const running = await startWorker(pipeline)
  const { worker } = running
  const placed = await sendPart(trades.slice(0, 10_000))
  await untilCounted(pipeline, 10_000)
  own.postgres.kill()
  await own.postgres.exited
  placed.push(...(await sendPart(trades.slice(10_000))))
  await until(
    'a worker that waits',
    () => worker.figures.state,
    (state) => state === 'database away',
  )
  const { unreadOffsets } = worker.figures
  // The outage itself is what is tested: half of a statement timeout, and more than any connection timeout.
  await delay(20_000)
  expect(worker.figures).toMatchObject({ state: 'database away', isGroupStable: true, partitions: [0, 1, 2] })
  expect(worker.figures.unreadOffsets).toBe(unreadOffsets)
  await own.startPostgres()
  await untilCounted(pipeline, trades.length)
  expect(worker.figures.state).toBe('reading')
  await running.stop()
  expect(await tableRows(pipeline.owner)).toEqual(expectedRows(placed))
  expect((await countersOf(pipeline.owner)).merged).toBe(trades.length)
})

it(`a broker that is killed and started again costs nothing but time (seed ${seed})`, async () => {
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
