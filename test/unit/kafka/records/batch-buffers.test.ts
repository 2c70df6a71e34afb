import { describe, expect, it } from 'vitest'
import { BatchBuffers } from '../../../../src/kafka/records/batch-buffers.ts'
import { MessageBatch } from '../../../../src/kafka/records/message-batch.ts'
import { messageKey } from '../../../../src/kafka/records/message-key.ts'
import { identifyBatch, RecordBatchWriter } from '../../../../src/kafka/records/record-batch-writer.ts'

const bytes = 4096

/** A batch of one message. */
function batchOf(value: string, buffer?: Buffer): Buffer {
  const messages = new MessageBatch({ maxMessages: 1, maxBytes: bytes })
  const at = messages.reserve(value.length)
  messages.commit(messageKey('AAPL'), at + messages.bytes.write(value, at))
  const writer = new RecordBatchWriter(bytes, buffer)
  writer.append(messages, 0, 1_771_079_405_250)
  const batch = writer.finish('none')
  identifyBatch(batch, { producerId: 7n, producerEpoch: 1, baseSequence: 3 })
  return batch
}

describe('the buffer of a written batch', () => {
  it('serves the next one, and nothing of its content shows there', () => {
    const buffers = new BatchBuffers(bytes)
    const first = batchOf('x'.repeat(3000), Buffer.alloc(bytes, 0xff))
    buffers.give(first)
    const again = buffers.take(bytes)
    expect(again?.buffer).toBe(first.buffer)
    expect(batchOf('short', again).equals(batchOf('short'))).toBe(true)
    expect(buffers.take(bytes)).toBeUndefined()
  })

  it('is not kept when it has another size, nor given to who wants another', () => {
    const buffers = new BatchBuffers(bytes)
    buffers.give(Buffer.allocUnsafeSlow(bytes / 2))
    expect(buffers.take(bytes)).toBeUndefined()
    buffers.give(Buffer.allocUnsafeSlow(bytes).subarray(0, 100))
    expect(buffers.take(bytes / 2)).toBeUndefined()
    expect(buffers.take(bytes)).toHaveLength(bytes)
  })

  it('is one of few', () => {
    const buffers = new BatchBuffers(bytes)
    for (let i = 0; i < 1000; i++) buffers.give(Buffer.allocUnsafeSlow(bytes))
    let kept = 0
    while (buffers.take(bytes)) kept += 1
    expect(kept).toBeLessThanOrEqual(16)
  })
})
