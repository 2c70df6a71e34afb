// A broker that answers late, or not for longer than a request may take.
import { setTimeout as nextDue } from 'node:timers/promises'
import { expect, inject, it } from 'vitest'
import { KafkaCluster } from '../../../src/kafka/client/cluster.ts'
import { messageKey, partitionOf } from '../../../src/kafka/records/message-key.ts'
import { batchOf } from '../../unit/kafka/records/batches.ts'
import { makeTopic } from '../scenes/kafka-topic.ts'
import { DetouredCluster, expectContent, numbered, WatchedProducer } from '../scenes/producing.ts'
import { until } from '../scenes/until.ts'
import { TcpProxy } from '../servers/tcp-proxy.ts'

/** Time from one message to the next: the pace of the load, longer than the linger of 1 ms. */
const paceMs = 5

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
    await nextDue(paceMs)
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

it('a connection that timed out is not used again, with other messages waiting for it (found by chaos)', async () => {
  await using topic = await makeTopic({ partitions: 2 })
  await using way = await TcpProxy.startKafka(inject('bootstrap'))
  const cluster = new KafkaCluster({ bootstrap: [way.address], clientId: topic.name, requestTimeoutMs: 1500 })
  const watched = new WatchedProducer({ cluster, topic: topic.name, lingerMs: 1 })
  await watched.producer.start()
  const messages = numbered(40)
  const [first = [], second = []] = [0, 1].map((partition) =>
    messages.filter(({ key }) => partitionOf(messageKey(key), 2) === partition),
  )
  // The broker has to know the producer before more than one request may be under way.
  await watched.append([...first.slice(0, 1), ...second.slice(0, 1)])
  expect(await watched.flush()).toBe(0)
  way.isSilent = true
  for (const message of first.slice(1)) {
    await watched.append([message])
    await nextDue(paceMs)
  }
  await watched.append(second.slice(1))
  await until(
    'a producer that has noticed',
    () => watched.producer.isUnavailable,
    (isUnavailable) => isUnavailable,
  )
  way.isSilent = false
  expect(await watched.flush()).toBe(0)
  expect(watched.failure).toBeUndefined()
  await expectContent(topic.cluster, topic.name, [...first, ...second])
  watched.producer.stop()
  await cluster.close()
})
