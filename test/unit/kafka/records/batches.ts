import { MessageBatch } from '../../../../src/kafka/records/message-batch.ts'
import { messageKey } from '../../../../src/kafka/records/message-key.ts'

export interface PlainMessage {
  readonly key: string
  readonly value: string
  /** As they stand in a record; none where it is absent. */
  readonly headers?: Buffer
}

/** Messages as sources hand them to the producer. */
export function batchOf(messages: readonly PlainMessage[]): MessageBatch {
  const batch = new MessageBatch({ maxMessages: Math.max(1, messages.length), maxBytes: 1024 })
  for (const { key, value, headers = Buffer.alloc(0) } of messages) {
    const bytes = Buffer.from(value)
    const at = batch.reserve(bytes.length + headers.length)
    bytes.copy(batch.bytes, at)
    headers.copy(batch.bytes, at + bytes.length)
    batch.commit(messageKey(key), at + bytes.length, at + bytes.length + headers.length)
  }
  return batch
}

/** So many messages that differ, of a few symbols. */
export function someMessages(count: number, valueBytes = 40): PlainMessage[] {
  return Array.from({ length: count }, (_, i) => ({ key: `S${i % 7}`, value: `{"n":${i}}`.padEnd(valueBytes) }))
}
