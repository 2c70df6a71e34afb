// How messages that come one by one are put together while the way to the broker is slow.
import { setTimeout as delay } from 'node:timers/promises'
import { expect, inject, it } from 'vitest'
import { batchOf } from '../unit/kafka/batches.ts'
import { makeTopic } from './kafka-topic.ts'
import { DetouredCluster, expectContent, numbered, WatchedProducer } from './producing.ts'
import { TcpProxy } from './tcp-proxy.ts'

it('what waits behind a slow broker waits in one batch, not in one for every few milliseconds', async () => {
  await using topic = await makeTopic({ partitions: 1 })
  await using way = await TcpProxy.start(inject('bootstrap'))
  const cluster = new DetouredCluster({ bootstrap: [inject('bootstrap')], clientId: topic.name })
  cluster.port = way.port
  const watched = new WatchedProducer({ cluster, topic: topic.name, lingerMs: 1 })
  await watched.producer.start()
  way.delayMs = 150
  const messages = numbered(300)
  const sinceMs = performance.now()
  for (const message of messages) {
    await watched.producer.append(batchOf([message]), Date.now(), AbortSignal.timeout(30_000))
    await delay(5)
  }
  expect(await watched.flush()).toBe(0)
  // Five under way at most, each for 300 ms there and back.
  const roundTrips = (performance.now() - sinceMs) / 300
  expect(watched.producer.figures.batches).toBeLessThan(5 * (roundTrips + 2))
  expect(watched.producer.figures.batches).toBeLessThan(120)
  await expectContent(topic.cluster, topic.name, messages)
  watched.producer.stop()
  await cluster.close()
})
