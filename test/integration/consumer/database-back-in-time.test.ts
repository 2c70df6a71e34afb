// The database becomes an older copy of itself while a worker runs, and nothing comes for some partitions afterwards.
import { afterEach, beforeEach, expect, inject, it } from 'vitest'
import { committedOffsets } from '../../../src/kafka/group/committed-offsets.ts'
import { seed } from '../../seed.ts'
import { countersOf, expectedRows, makeTrades, messageText, place, send, tableRows } from '../scenes/market.ts'
import { makePipeline, type Pipeline } from '../scenes/pipeline.ts'
import { until } from '../scenes/until.ts'
import { verifyPipeline } from '../scenes/verification.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'
import { OwnServers } from '../servers/own-servers.ts'

const symbols = Array.from({ length: 20 }, (_, index) => `SYM${index}`)
const trades = makeTrades({ seed, count: 3000, symbols })
const values = trades.map((trade) => ({ symbol: trade.symbol, value: messageText(trade) }))

let servers: OwnServers
let pipeline: Pipeline

beforeEach(async () => {
  servers = new OwnServers()
  pipeline = await makePipeline({ servers: await servers.startPostgresBeside(inject('bootstrap')) })
}, 120_000)

afterEach(async () => {
  await pipeline[Symbol.asyncDispose]()
  await servers.stop()
})

/** Like {@link untilCounted}, while the database comes and goes. */
async function untilAllCounted(): Promise<void> {
  await until(
    'all counted',
    () => countersOf(pipeline.owner).catch(() => ({ merged: -1 })),
    ({ merged }) => merged === trades.length,
    60_000,
  )
}

async function expectExact(): Promise<void> {
  expect(await tableRows(pipeline.owner)).toEqual(expectedRows(place(trades, 3)))
  expect(await verifyPipeline(pipeline)).toMatchObject({ differenceCount: 0, uncheckedCount: 0 })
}

/** Kafka's copy of the positions. */
function committed(): Promise<Map<number, number>> {
  const { cluster, metadata, config } = pipeline
  return committedOffsets(cluster, metadata, config.kafkaGroup)
}

it('a worker reads again what an older copy of the database does not hold, though nothing new comes', async () => {
  const { cluster, config, owner } = pipeline
  await send(cluster, config.kafkaTopic, values.slice(0, 1000))
  const { worker, stop } = await startWorker(pipeline)
  await untilCounted(pipeline, 1000)
  const restore = await servers.copyPostgres()
  await send(cluster, config.kafkaTopic, values.slice(1000))
  await untilAllCounted()
  expect(worker.figures.positionsMovedBack).toBe(0)
  await restore()
  await untilAllCounted()
  expect(worker.figures.positionsMovedBack).toBe(3)
  await expectExact()
  const { positions } = await countersOf(owner)
  await until('Kafka’s copy of the positions', committed, (copy) => positions.every((next, p) => copy.get(p) === next))
  await stop()
}, 180_000)

it('partitions that an older copy of the database does not know yet are opened again', async () => {
  const { cluster, config } = pipeline
  const restore = await servers.copyPostgres()
  await send(cluster, config.kafkaTopic, values)
  const { worker, stop } = await startWorker(pipeline)
  await untilAllCounted()
  await restore()
  await untilAllCounted()
  expect(worker.figures.positionsMovedBack).toBe(3)
  await expectExact()
  await stop()
}, 180_000)

it('Kafka’s copy of a position never stays ahead of it, when workers start on an older copy of the database', async () => {
  const { cluster, config } = pipeline
  await send(cluster, config.kafkaTopic, values)
  const restore = await servers.copyPostgres()
  const first = await startWorker(pipeline)
  await untilAllCounted()
  await until('Kafka’s copy', committed, (copy) => [...copy.values()].reduce((sum, next) => sum + next, 0) === 3000)
  await first.stop()
  await restore()
  // Batches are not written, as long as this is held: the worker knows its positions and no more.
  await pipeline.owner.transaction(async (client) => {
    await client.query('LOCK TABLE kpi_market_prices IN EXCLUSIVE MODE')
    const next = await startWorker(pipeline)
    await until('a copy that trails', committed, (copy) => [...copy.values()].every((offset) => offset === 0), 30_000)
    await client.query('ROLLBACK')
    await untilAllCounted()
    await next.stop()
  })
  await expectExact()
}, 180_000)
