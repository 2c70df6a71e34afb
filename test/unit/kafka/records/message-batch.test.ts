import { describe, expect, it } from 'vitest'
import { MessageBatch } from '../../../../src/kafka/records/message-batch.ts'
import { messageKey } from '../../../../src/kafka/records/message-key.ts'
import { batchOf } from './batches.ts'

const key = messageKey('A')

function texts(batch: MessageBatch): string[] {
  return Array.from({ length: batch.count }, (_, i) =>
    batch.bytes.toString('utf8', batch.valueStart(i), batch.valueEnd(i)),
  )
}

describe('a message batch', () => {
  it('keeps values and headers apart', () => {
    const batch = batchOf([
      { key: 'A', value: 'one', headers: Buffer.from('h1') },
      { key: 'B', value: '' },
      { key: 'A', value: 'three' },
    ])
    expect(texts(batch)).toEqual(['one', '', 'three'])
    expect(batch.bytes.toString('utf8', batch.valueEnd(0), batch.end(0))).toBe('h1')
    expect(batch.end(2)).toBe(batch.valueEnd(2))
    expect(batch.key(1).bytes.toString()).toBe('B')
  })

  it('is full by number, and by bytes', () => {
    const byNumber = new MessageBatch({ maxMessages: 2, maxBytes: 100 })
    byNumber.commit(key, byNumber.reserve(1) + 1)
    expect(byNumber.isFull).toBe(false)
    byNumber.commit(key, byNumber.reserve(1) + 1)
    expect(byNumber.isFull).toBe(true)
    const byBytes = new MessageBatch({ maxMessages: 10, maxBytes: 100 })
    byBytes.commit(key, byBytes.reserve(100) + 100)
    expect(byBytes.isFull).toBe(true)
  })

  it('grows for a message beyond its limit, keeps what was there, and gives the room back', () => {
    const batch = new MessageBatch({ maxMessages: 10, maxBytes: 8 })
    batch.bytes.write('small', batch.reserve(5))
    batch.commit(key, 5)
    const at = batch.reserve(1000)
    batch.bytes.fill('x', at, at + 1000)
    batch.commit(key, at + 1000)
    expect(texts(batch)).toEqual(['small', 'x'.repeat(1000)])
    batch.clear()
    expect({ count: batch.count, bytes: batch.bytes.length }).toEqual({ count: 0, bytes: 8 })
  })
})
