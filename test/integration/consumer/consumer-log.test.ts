// A log that changes under the pipeline: cut off by retention, made anew, given more partitions, written by transactions.

import { expect, it } from 'vitest'
import { createPartitionsV3, deleteRecordsV2, deleteTopicsV6 } from '#kafka-protocol'
import { prepareTopic } from '../../../src/kafka/client/topic.ts'
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
import { makePipeline, type Pipeline } from '../scenes/pipeline.ts'
import { marketKpi } from '../scenes/processes.ts'
import { until } from '../scenes/until.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'

const symbols = Array.from({ length: 20 }, (_, index) => `SYM${index}`)
const timeoutMs = 10_000

async function controllerOf({ cluster }: Pipeline): Promise<number> {
  return (await cluster.clusterMetadata()).controllerId
}

it('a position behind the log stands still until the gap is accepted', async () => {
  await using pipeline = await makePipeline({ partitions: 1 })
  const { cluster, config, owner, env } = pipeline
  const trades = makeTrades({ seed, count: 3000, symbols })
  const placed = await sendTrades(cluster, config.kafkaTopic, 1, trades.slice(0, 1000))
  const first = await startWorker(pipeline)
  await untilCounted(pipeline, 1000)
  await first.stop()
  const values = trades.slice(1000).map((trade) => ({ symbol: trade.symbol, value: messageText(trade) }))
  await send(cluster, config.kafkaTopic, values)
  const cut = [{ name: config.kafkaTopic, partitions: [{ partitionIndex: 0, offset: 2000n }] }]
  await cluster.request(await controllerOf(pipeline), 'control', deleteRecordsV2.api, cut, timeoutMs)
  const second = await startWorker(pipeline)
  await until(
    'a stranded partition',
    () => second.worker.figures.stranded,
    (stranded) => stranded.length === 1,
  )
  expect(second.worker.figures.state).toBe('stranded')
  expect((await countersOf(owner)).positions).toEqual([1000])
  const accepted = marketKpi(['offsets', 'accept-gap', '--partition', '0', '--yes'], env)
  expect(await accepted.exited, accepted.stderr()).toEqual({ code: 0, signal: null })
  await until(
    'all that is left counted',
    () => countersOf(owner),
    ({ positions }) => positions[0] === 3000,
  )
  await second.stop()
  const kept = [...placed, ...place(trades.slice(2000), 1, [2000])]
  expect((await countersOf(owner)).merged).toBe(2000)
  expect(await tableRows(owner)).toEqual(expectedRows(kept))
  const states = await owner.query<{ state: string }>({
    text: 'SELECT DISTINCT window_state AS state FROM kpi_windows ORDER BY 1',
  })
  expect(states.map(({ state }) => state)).toContain('incomplete')
})

it('a topic that was made anew stops the worker, until it is accepted', async () => {
  await using pipeline = await makePipeline()
  const { cluster, config, owner, env } = pipeline
  const trades = makeTrades({ seed, count: 2000, symbols })
  await sendTrades(cluster, config.kafkaTopic, 3, trades)
  const running = await startWorker(pipeline)
  await untilCounted(pipeline, trades.length)
  const controller = await controllerOf(pipeline)
  await cluster.request(controller, 'control', deleteTopicsV6.api, [{ name: config.kafkaTopic }], timeoutMs)
  await until(
    'a new topic',
    () =>
      prepareTopic(cluster, { topic: config.kafkaTopic, partitions: 3, replicationFactor: 1 }).catch(() => undefined),
    (found) => found !== undefined && found.metadata.topicId !== pipeline.metadata.topicId,
  )
  expect((await running.fatal).code).toBe('KPI_TOPIC_RECREATED')
  await running.stop()
  const placed = await sendTrades(cluster, config.kafkaTopic, 3, trades.slice(0, 500))
  const refused = marketKpi(['consume', '--http-port', '0'], env)
  expect((await refused.exited).code).toBe(1)
  expect(refused.stderr()).toMatch(/^the topic '\S+' was deleted and created again: [^\n]*--accept-new-topic[^\n]*\n$/)
  expect(await tableRows(owner)).toHaveLength(expectedRows(place(trades, 3)).length)
  const ownerEnv = { ...env, DATABASE_URL: pipeline.ownerUrl }
  const accepted = marketKpi(['init', '--accept-new-topic', '--yes'], ownerEnv)
  expect((await accepted.exited).code, accepted.stderr()).toBe(0)
  const again = await startWorker(pipeline)
  await untilCounted(pipeline, 500)
  await again.stop()
  expect(await tableRows(owner)).toEqual(expectedRows(placed))
})

it('partitions that are added while workers run are read from their start', async () => {
  await using pipeline = await makePipeline({ partitions: 2 })
  const { cluster, config, owner } = pipeline
  const trades = makeTrades({ seed, count: 4000, symbols })
  const placed = await sendTrades(cluster, config.kafkaTopic, 2, trades.slice(0, 2000))
  const running = await startWorker(pipeline)
  await untilCounted(pipeline, 2000)
  const more = [{ name: config.kafkaTopic, count: 5, assignments: null }]
  await cluster.request(await controllerOf(pipeline), 'control', createPartitionsV3.api, more, timeoutMs, false)
  await until(
    'leaders of all partitions',
    () => cluster.topicMetadata(config.kafkaTopic),
    (found) => found.partitions.length === 5 && found.partitions.every(({ leaderId }) => leaderId >= 0),
  )
  const nextOffsets = [0, 1].map((partition) => placed.filter((trade) => trade.partition === partition).length)
  const values = trades.slice(2000).map((trade) => ({ symbol: trade.symbol, value: messageText(trade) }))
  await send(cluster, config.kafkaTopic, values)
  placed.push(...place(trades.slice(2000), 5, nextOffsets))
  await untilCounted(pipeline, trades.length)
  await running.stop()
  expect((await countersOf(owner)).positions).toHaveLength(5)
  expect(await tableRows(owner)).toEqual(expectedRows(placed))
})
