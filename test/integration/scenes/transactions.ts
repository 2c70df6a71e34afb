import { Producer, stringSerializers } from '@platformatic/kafka'
import { inject } from 'vitest'

export type TransactionalProducer = Producer<string, string, string, string>

/** Another application that writes in transactions. */
export function transactionalProducer(name: string): TransactionalProducer {
  return new Producer({
    clientId: name,
    bootstrapBrokers: [inject('bootstrap')],
    serializers: stringSerializers,
    idempotent: true,
    transactionalId: name,
  })
}

export interface OpenTransaction {
  /** Sends one message more. */
  send(value: string, key?: string): Promise<void>
  commit(): Promise<void>
  /** Aborts what is still open, and ends the producer. */
  [Symbol.asyncDispose](): Promise<void>
}

/** A transaction that has written to a partition and stays open until the test ends it. */
export async function openTransaction(
  topic: string,
  partition: number,
  values: readonly string[],
): Promise<OpenTransaction> {
  const producer = transactionalProducer(`${topic}-open`)
  const transaction = await producer.beginTransaction()
  const send = async (value: string, key = 'K') => {
    await transaction.send({ messages: [{ topic, partition, key, value }] })
  }
  for (const value of values) await send(value)
  let isOpen = true
  const end = async (how: 'commit' | 'abort') => {
    if (isOpen) await transaction[how]()
    isOpen = false
  }
  return {
    send,
    commit: () => end('commit'),
    [Symbol.asyncDispose]: async () => {
      await end('abort')
      await producer.close()
    },
  }
}
