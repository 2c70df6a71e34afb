import { describe, expect, it } from 'vitest'
import { DeferredRecords, splitOffBatch } from '../../../src/consumer/deferred-records.ts'
import type { FetchedRecords } from '../../../src/kafka/fetch/fetcher.ts'
import { batchBytes, rangeOf } from '../kafka/records/batch-bytes.ts'

/** Batches of two records each, at these offsets. */
function answer(...baseOffsets: number[]): FetchedRecords {
  const batches = baseOffsets.map((baseOffset) =>
    batchBytes({ baseOffset, records: [0, 1].map((offsetDelta) => ({ offsetDelta, value: 'v' })) }),
  )
  const from = baseOffsets[0] ?? 0
  const next = (baseOffsets.at(-1) ?? 0) + 2
  return { partition: 1, range: rangeOf(...batches), from, next, aborted: [], endOffset: 100, logStartOffset: 0 }
}

describe('an answer', () => {
  it('is split behind its first batch, without a gap', () => {
    const split = splitOffBatch(answer(10, 12, 20))
    expect(split?.first).toMatchObject({ from: 10, next: 12 })
    expect(split?.rest).toMatchObject({ from: 12, next: 22 })
    expect(split?.rest.range.start).toBe(split?.first.range.end)
    const rest = split && splitOffBatch(split.rest)
    expect(rest?.first).toMatchObject({ from: 12, next: 14 })
    expect(rest?.rest).toMatchObject({ from: 14, next: 22 })
    expect(rest && splitOffBatch(rest.rest)).toBeUndefined()
  })

  it('of aborted transactions stays whole', () => {
    expect(splitOffBatch({ ...answer(10, 12), aborted: [{ producerId: 7, firstOffset: 10 }] })).toBeUndefined()
  })

  it('whose batches are out of order stays whole, so that it is found corrupt', () => {
    expect(splitOffBatch(answer(10, 11))).toBeUndefined()
  })
})

describe('deferred records', () => {
  it('are copies, in order, and can be forgotten by partition', () => {
    const deferred = new DeferredRecords()
    const first = answer(10, 12)
    const { buffer, start, end } = first.range
    const bytes = Buffer.from(buffer.subarray(start, end))
    deferred.add(first)
    deferred.add({ ...answer(14), partition: 2 })
    buffer.fill(0)
    const taken = deferred.shift()
    expect(taken?.range.buffer.equals(bytes)).toBe(true)
    if (taken) deferred.putBack(taken)
    deferred.forget([1])
    expect(deferred.shift()?.partition).toBe(2)
    expect(deferred.isEmpty).toBe(true)
  })
})
