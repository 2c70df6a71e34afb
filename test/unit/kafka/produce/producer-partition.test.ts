import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  maxInFlight,
  ProducerPartition,
  type ProducerPartitionOptions,
  type QueuedBatch,
  type Verdict,
} from '../../../../src/kafka/produce/producer-partition.ts'
import { producerAt } from '../../../../src/kafka/records/record-range.ts'
import { propertyRuns } from '../../kpi/property-runs.ts'
import { batchOf, someMessages } from '../records/batches.ts'
import { visit } from '../records/visited.ts'

const identity = { producerId: 77n, epoch: 2 }
const plain = someMessages(1000)
const messages = batchOf(plain)
let nextMessage = 0

function partitionWith(options: Partial<ProducerPartitionOptions> = {}): ProducerPartition {
  return new ProducerPartition({ partition: 0, identity, maxBatchBytes: 4096, compression: 'none', ...options })
}

/** Queues one batch of so many messages. @returns Their values. */
function queue(partition: ProducerPartition, count: number): string[] {
  const indexes = Array.from({ length: count }, () => nextMessage++ % plain.length)
  for (const index of indexes) expect(partition.append(messages, index, 1)).toBe(true)
  partition.seal()
  return indexes.map((index) => plain[index]?.value ?? '')
}

function queuedPartition(counts: readonly number[], options: Partial<ProducerPartitionOptions> = {}) {
  const partition = partitionWith(options)
  for (const count of counts) queue(partition, count)
  return partition
}

/** One whose first batch, of one message, was written: the broker knows it. */
function knownPartition(counts: readonly number[], options: Partial<ProducerPartitionOptions> = {}) {
  const partition = queuedPartition([1, ...counts], options)
  partition.settle(partition.take(), 'written')
  return partition
}

function traceOf({ records }: QueuedBatch) {
  return producerAt({ buffer: records, start: 0, end: records.length }, 0)
}

/** The records of a batch, whose checksum is verified on the way. */
function valuesOf({ records: buffer }: QueuedBatch): (string | null)[] {
  return visit({ buffer, start: 0, end: buffer.length }, 0).records.map(({ value }) => value)
}

function takeAll(partition: ProducerPartition): QueuedBatch[] {
  const taken: QueuedBatch[] = []
  while (partition.canSend) taken.push(partition.take())
  return taken
}

describe('a partition of the producer', () => {
  it('numbers its records without a gap', () => {
    const batches = takeAll(knownPartition([3, 1, 5]))
    expect(batches.map(traceOf)).toEqual([1, 4, 5].map((sequence) => ({ ...identity, sequence })))
  })

  it('has at most five batches in flight', () => {
    const partition = knownPartition([1, 1, 1, 1, 1, 1, 1])
    const [first] = takeAll(partition)
    expect(partition.hasQueued).toBe(true)
    expect(partition.canSend).toBe(false)
    expect(first && partition.settle(first, 'written')).toBe('settled')
    expect(takeAll(partition)).toHaveLength(1)
    expect(maxInFlight).toBe(5)
  })

  it('has one in flight until the broker knows it, since that takes any first number', () => {
    const partition = queuedPartition([2, 2, 2])
    const [first] = takeAll(partition)
    expect(first?.sequence).toBe(0)
    expect(partition.canSend).toBe(false)
    if (first) partition.settle(first, 'refused')
    expect(takeAll(partition)).toEqual([first])
    if (first) partition.settle(first, 'written')
    expect(takeAll(partition)).toHaveLength(2)
  })

  it('counts what is not written', () => {
    const partition = knownPartition([2, 3])
    partition.append(messages, 0, 1)
    expect(partition.waitingCount).toBe(6)
    const [first] = takeAll(partition)
    if (first) partition.settle(first, 'written')
    expect(partition.waitingCount).toBe(4)
    expect(partition.isIdle).toBe(false)
  })

  it('sends nothing more after a failure, until every batch in flight has its answer', () => {
    const partition = knownPartition([1, 1, 1, 1])
    const [a, b, c] = [partition.take(), partition.take(), partition.take()]
    expect(partition.settle(a, 'refused')).toBe('settled')
    expect(partition.canSend).toBe(false)
    expect(partition.settle(c, 'outOfSequence')).toBe('settled')
    expect(partition.settle(b, 'outOfSequence')).toBe('requeued')
    expect(takeAll(partition).slice(0, 3)).toEqual([a, b, c])
  })

  it('sends again with the numbers that the batches had', () => {
    const partition = knownPartition([2, 2])
    const before = takeAll(partition)
    const bytes = before.map(({ records }) => Buffer.from(records))
    for (const batch of before) partition.settle(batch, 'unknown')
    expect(takeAll(partition).map(({ records }) => records)).toEqual(bytes)
  })

  it('sends nothing new while a batch that may have been written is under way', () => {
    const partition = knownPartition([1, 1, 1])
    const [a, b] = [partition.take(), partition.take()]
    partition.settle(a, 'unknown')
    partition.settle(b, 'written')
    expect(takeAll(partition)).toEqual([a])
    partition.settle(a, 'written')
    expect(takeAll(partition)).toHaveLength(1)
  })

  it('leaves out what was written while it drained', () => {
    const partition = knownPartition([1, 1, 1])
    const [a, b, c] = [partition.take(), partition.take(), partition.take()]
    partition.settle(a, 'unknown')
    partition.settle(b, 'written')
    partition.settle(c, 'unknown')
    expect(takeAll(partition)).toEqual([a, c])
  })

  it('goes on without a wait when a batch was written after all', () => {
    const partition = knownPartition([1])
    const batch = partition.take()
    partition.settle(batch, 'unknown')
    const again = partition.take()
    expect(partition.settle(again, 'written')).toBe('settled')
    expect(partition.isIdle).toBe(true)
  })
})

describe('a broker that has forgotten the producer', () => {
  it('gets all in a new epoch, when nothing can have been written', () => {
    const partition = knownPartition([3, 2, 4])
    const [first] = [partition.take()]
    expect(partition.settle(first, 'outOfSequence')).toBe('requeued')
    expect(takeAll(partition).map(traceOf)).toEqual(
      [0, 3, 5].map((sequence) => ({ producerId: 77n, epoch: 3, sequence })),
    )
    queue(partition, 1)
    expect(takeAll(partition).map(traceOf)).toEqual([{ producerId: 77n, epoch: 3, sequence: 9 }])
  })

  it('makes the partition give up, when a batch may have been written', () => {
    const partition = knownPartition([3, 2])
    partition.settle(partition.take(), 'unknown')
    expect(partition.settle(partition.take(), 'outOfSequence')).toBe('lost')
  })

  it('only until its last batch, after a restart, proves those before it', () => {
    const partition = knownPartition([3, 2, 4])
    const flight = takeAll(partition)
    for (const batch of flight) partition.settle(batch, 'unknown')
    const [a, b, c] = takeAll(partition) as [QueuedBatch, QueuedBatch, QueuedBatch]
    partition.settle(a, 'outOfSequence')
    partition.settle(b, 'outOfSequence')
    expect(partition.settle(c, 'written')).toBe('settled')
    expect(partition.takeProven()).toEqual([a, b])
    expect(partition.takeProven()).toEqual([])
    expect(partition.isIdle).toBe(true)
  })

  it('is asked again while the answer that would prove a batch is missing', () => {
    const partition = knownPartition([3, 2])
    for (const batch of takeAll(partition)) partition.settle(batch, 'unknown')
    const [a, b] = takeAll(partition) as [QueuedBatch, QueuedBatch]
    partition.settle(a, 'outOfSequence')
    expect(partition.settle(b, 'unknown')).toBe('requeued')
    expect(takeAll(partition)).toEqual([a, b])
    partition.settle(a, 'outOfSequence')
    expect(partition.settle(b, 'outOfSequence')).toBe('lost')
  })

  it('makes it give up at the last epoch', () => {
    const partition = knownPartition([1], { identity: { producerId: 1n, epoch: 32_767 } })
    expect(partition.settle(partition.take(), 'outOfSequence')).toBe('lost')
  })
})

describe('a batch that the broker finds too large', () => {
  it('is split, and keeps its numbers', () => {
    const partition = knownPartition([2, 5, 1])
    const first = partition.take()
    partition.settle(first, 'written')
    const large = partition.take()
    expect(partition.settle(large, 'tooLarge')).toBe('split')
    const parts = takeAll(partition)
    expect(parts.map((batch) => [traceOf(batch)?.sequence, batch.count])).toEqual([
      [3, 3],
      [6, 2],
      [8, 1],
    ])
    expect(parts.slice(0, 2).flatMap(valuesOf)).toEqual(valuesOf(large))
    expect(parts.reduce((sum, batch) => sum + batch.chargedBytes, 0) - (parts[2]?.chargedBytes ?? 0)).toBe(
      large.chargedBytes,
    )
  })

  it('makes the ones to come smaller', () => {
    const partition = knownPartition([20])
    const large = partition.take()
    partition.settle(large, 'tooLarge')
    takeAll(partition)
    let taken = 0
    while (partition.append(messages, taken, 1)) taken += 1
    partition.seal()
    expect(taken).toBeGreaterThan(2)
    expect(taken).toBeLessThanOrEqual(11)
  })

  it('of a single record is the end', () => {
    const partition = queuedPartition([1])
    expect(partition.settle(partition.take(), 'tooLarge')).toBe('tooLarge')
  })
})

describe('a partition that continues an earlier process', () => {
  it('begins behind its last number', () => {
    const partition = knownPartition([2, 1], { continuesAfter: 41 })
    expect(takeAll(partition).map(traceOf)).toEqual([43, 45].map((sequence) => ({ ...identity, sequence })))
  })

  it('begins anew behind the largest number there is', () => {
    const partition = knownPartition([2], { continuesAfter: 2 ** 31 - 2 })
    expect(takeAll(partition).map(traceOf)).toEqual([{ ...identity, sequence: 0 }])
  })

  it('gives up when something of that process came in between', () => {
    const partition = queuedPartition([2, 1], { continuesAfter: -1 })
    expect(partition.settle(partition.take(), 'outOfSequence')).toBe('overtaken')
  })

  it('gives up also later: what was written first may have been a straggler that the broker took for ours', () => {
    const partition = knownPartition([2], { continuesAfter: 41 })
    expect(partition.settle(partition.take(), 'outOfSequence')).toBe('overtaken')
  })
})

/**
 * What a broker does with the batches of one producer: takes any first one, then those in sequence, and knows the last five,
 * or, after a restart, the last one.
 */
class BrokerLog {
  readonly values: (string | null)[] = []
  readonly #known: { sequence: number; count: number }[] = []
  #next = 0

  restart(): void {
    this.#known.splice(0, this.#known.length - 1)
  }

  offer(batch: QueuedBatch): 'written' | 'outOfSequence' {
    const { sequence, count } = batch
    if (this.#known.some((known) => known.sequence === sequence && known.count === count)) return 'written'
    if (this.#known.length > 0 && sequence !== this.#next) return 'outOfSequence'
    this.values.push(...valuesOf(batch))
    this.#known.push({ sequence, count })
    if (this.#known.length > maxInFlight) this.#known.shift()
    this.#next = sequence + count
    return 'written'
  }
}

/** How a request fares: it arrives or not, and its answer does or not; or the broker is another one by then. */
const fares = fc.constantFrom('good', 'good', 'good', 'lost', 'unanswered', 'refused', 'restarted')

describe('whatever fails on the way', () => {
  it('each record is in the log once, in order', () => {
    const counts = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(counts, fc.infiniteStream(fares), (sizes, stream) => {
        const partition = partitionWith()
        const log = new BrokerLog()
        const expected = sizes.flatMap((size) => queue(partition, size))
        for (let round = 0; !partition.isIdle; round++) {
          // A network that never works is no test.
          const flight = takeAll(partition).map((batch) => ({ batch, fare: round < 50 ? stream.next().value : 'good' }))
          const answers = flight.map(({ batch, fare }): { batch: QueuedBatch; verdict: Verdict } => {
            if (fare === 'refused') return { batch, verdict: 'refused' }
            if (fare === 'lost') return { batch, verdict: 'unknown' }
            if (fare === 'restarted') log.restart()
            const answer = log.offer(batch)
            return { batch, verdict: fare === 'unanswered' ? 'unknown' : answer }
          })
          for (const { batch, verdict } of answers)
            expect(['settled', 'requeued']).toContain(partition.settle(batch, verdict))
        }
        expect(log.values).toEqual(expected)
      }),
      propertyRuns,
    )
  })
})
