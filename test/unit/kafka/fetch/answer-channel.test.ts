import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, it, vi } from 'vitest'
import { AnswerChannel } from '../../../../src/kafka/fetch/answer-channel.ts'
import type { FetchedRecords } from '../../../../src/kafka/fetch/partition-fetch.ts'
import { nextOffsetOf } from '../../../../src/kafka/records/record-range.ts'
import { batchBytes, rangeOf } from '../records/batch-bytes.ts'
import { visit } from '../records/visited.ts'

/** Packed batches that come in as many pieces: each is larger than what remains of the piece before it. */
function packedAnswer(partition: number, batches: number): FetchedRecords {
  const range = rangeOf(
    ...Array.from({ length: batches }, (_, offset) => {
      const value = `${partition}/${offset}`.padEnd(200_000, 'x')
      return batchBytes({ baseOffset: offset, compression: 'zstd', records: [{ offsetDelta: 0, value }] })
    }),
  )
  const next = nextOffsetOf(range, 0)
  return { partition, range, from: 0, next, aborted: [], endOffset: next, logStartOffset: 0 }
}

class SlowReader {
  readonly done = new Int32Array(new SharedArrayBuffer(4))
  readonly waiting: (readonly FetchedRecords[])[] = []
  most = 0
  readonly values: string[] = []

  take(piece: readonly FetchedRecords[]): void {
    this.waiting.push(piece)
    this.most = Math.max(this.most, this.waiting.length)
  }

  /** Reads what has waited longest, and only then is done with it. */
  async work(): Promise<void> {
    await nextTurn()
    for (const { range, from } of this.waiting[0] ?? []) {
      for (const { value } of visit(range, from).records) this.values.push(value?.replace(/x+$/, '') ?? '')
    }
    if (this.waiting.shift() === undefined) return
    Atomics.add(this.done, 0, 1)
    Atomics.notify(this.done, 0)
  }
}

it('answers of two brokers that come at once are whole when a slow reader reads them, two pieces at most at a time', async () => {
  const reader = new SlowReader()
  const handOver = new AnswerChannel({ done: reader.done, post: (piece) => reader.take(piece) })
  let settled = 0
  for (const partition of [0, 1]) void handOver.take([packedAnswer(partition, 6)]).then(() => settled++)
  while (reader.values.length < 12) await reader.work()
  const expected = [0, 1].flatMap((partition) => Array.from({ length: 6 }, (_, offset) => `${partition}/${offset}`))
  expect(reader.values).toEqual(expected)
  expect(reader.most).toBe(2)
  await vi.waitFor(() => expect(settled).toBe(2))
})

it('an answer is settled while its last piece waits, and the next one when that is done', async () => {
  const reader = new SlowReader()
  const handOver = new AnswerChannel({ done: reader.done, post: (piece) => reader.take(piece) })
  await handOver.take([packedAnswer(0, 1)])
  let isSettled = false
  const next = handOver.take([]).then(() => {
    isSettled = true
  })
  // All that could settle it without the reader has run after a turn of the event loop.
  await nextTurn()
  expect(isSettled).toBe(false)
  await reader.work()
  await next
})

it('says that an answer is corrupt, and hands nothing over afterwards', async () => {
  const reader = new SlowReader()
  const handOver = new AnswerChannel({ done: reader.done, post: (piece) => reader.take(piece) })
  const spoilt = packedAnswer(0, 1)
  spoilt.range.buffer.fill(0xff, 61, 70)
  const corrupt = expect.objectContaining({ code: 'KPI_KAFKA_CORRUPT' })
  await expect(handOver.take([spoilt])).rejects.toEqual(corrupt)
  await expect(handOver.take([])).rejects.toEqual(corrupt)
  expect(reader.waiting).toEqual([])
})
