import { expect } from 'vitest'
import { Connection } from '#kafka-protocol'
import type { KpiError } from '../../../src/errors.ts'
import { KafkaCluster, type Purpose } from '../../../src/kafka/client/cluster.ts'
import { Producer, type ProducerOptions } from '../../../src/kafka/produce/producer.ts'
import { headerBytes } from '../../../src/kafka/records/message-headers.ts'
import { messageKey, partitionOf } from '../../../src/kafka/records/message-key.ts'
import { batchOf, type PlainMessage } from '../../unit/kafka/records/batches.ts'
import { silentLog } from './pipeline.ts'
import { contentOf } from './topic-content.ts'

/** So many messages of a few symbols, numbered from one on. */
export function numbered(count: number, from = 0, valueBytes = 100): PlainMessage[] {
  return Array.from({ length: count }, (_, i) => ({
    key: `S${(from + i) % 17}`,
    value: `{"n":${from + i}}`.padEnd(valueBytes),
    headers: headerBytes({ n: String(from + i) }),
  }))
}

/** A producer that keeps why it gave up. */
export class WatchedProducer {
  readonly producer: Producer
  failure: KpiError | undefined

  constructor(options: Omit<ProducerOptions, 'log' | 'onFailure'>) {
    this.producer = new Producer({
      ...options,
      log: silentLog,
      onFailure: (error) => {
        this.failure = error
      },
    })
  }

  /** Takes the messages in, a thousand at a time. */
  async append(messages: readonly PlainMessage[], signal = new AbortController().signal): Promise<void> {
    for (let at = 0; at < messages.length && !signal.aborted; at += 1000) {
      await this.producer.append(batchOf(messages.slice(at, at + 1000)), Date.now(), signal)
    }
  }

  /** Until all is acknowledged, or it gives up. */
  async flush(): Promise<number> {
    return this.producer.flush(AbortSignal.timeout(90_000))
  }
}

/** Each message stands in its partition once, in order, and nothing else does. */
export async function expectContent(
  cluster: KafkaCluster,
  topic: string,
  messages: readonly PlainMessage[],
): Promise<void> {
  const content = await contentOf(cluster, topic)
  content.forEach((records, partition) => {
    const expected = messages.filter(({ key }) => partitionOf(messageKey(key), content.length) === partition)
    // First what is cheap to read when it differs.
    expect(records.map(({ headers }) => headers.n)).toEqual(
      expected.map(({ value }) => String((JSON.parse(value) as { n: number }).n)),
    )
    expect(records.map(({ key, value }) => `${key} ${value}`)).toEqual(
      expected.map(({ key, value }) => `${key} ${value}`),
    )
  })
}

/** A cluster whose produce connections lead through a port of this machine. */
export class DetouredCluster extends KafkaCluster {
  port = 0
  readonly #opened: Connection[] = []

  override async connection(nodeId: number, purpose: Purpose): Promise<Connection> {
    if (purpose !== 'produce') return super.connection(nodeId, purpose)
    const connection = new Connection(this.clientId, { connectTimeout: 5000, requestTimeout: 20_000 })
    connection.on('error', () => undefined)
    await connection.connect('127.0.0.1', this.port)
    this.#opened.push(connection)
    return connection
  }

  override async close(): Promise<void> {
    await Promise.allSettled(this.#opened.map((connection) => connection.close()))
    await super.close()
  }
}
