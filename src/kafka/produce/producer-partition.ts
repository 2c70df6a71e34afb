import { assert } from '../../errors.ts'
import type { BatchBuffers } from '../records/batch-buffers.ts'
import type { MessageBatch } from '../records/message-batch.ts'
import { type Compression, identifyBatch, RecordBatchWriter } from '../records/record-batch-writer.ts'
import { splitBatch } from '../records/split-batch.ts'

/**
 * The queue of one partition, in order, and the sequence numbers under which the broker knows its batches. No I/O.
 *
 * A batch is `open → queued → in flight → written`. When a batch in flight fails, the partition is *draining*: nothing
 * is sent until every batch in flight has an answer. Then the failed batches return to the front of the queue, in order
 * and with their old sequence numbers, so that the broker recognises those it has already written. While one of these
 * is in flight, no new batch is sent. Nor is any batch sent behind the very first one: a broker accepts any sequence
 * number from a producer it does not know, so the second batch would be written in place of a refused first one
 * (KAFKA-14359).
 *
 * Invariants: sequence numbers are dense and in queue order; at most {@link maxInFlight} batches are in flight, which
 * is how many a broker remembers of a producer; a batch's sequence number changes only with a new epoch, which is used
 * only when no batch can have reached the log (KIP-360).
 *
 * A partition may continue after an earlier process, with its identity and from the sequence number behind its last
 * record. A sequence number is then written once: when a delayed batch of that process and one of ours have the same
 * numbers, the broker writes the one that arrives first, and refuses the other or takes it for a duplicate.
 */
export const maxInFlight = 5

/**
 * `unknown`: it may have been written, because there was no (clear) answer. `outOfSequence`: refused for its sequence
 * number.
 */
export type Verdict = 'written' | 'refused' | 'unknown' | 'outOfSequence' | 'tooLarge'

export interface QueuedBatch {
  readonly records: Buffer
  readonly count: number
  /** How much it counts towards the producer's memory limit. */
  readonly chargedBytes: number
  /** The sequence number of its first record. */
  sequence: number
  /** An earlier attempt may have been written. */
  doubtful: boolean
  /** A later batch was written. */
  followed: boolean
  verdict: Verdict | undefined
}

/** Why a partition cannot continue without risking loss or duplicates. */
export type Impasse = 'lost' | 'overtaken' | 'tooLarge'

export interface ProducerIdentity {
  readonly producerId: bigint
  readonly epoch: number
}

/** The producer identity and the sequence number with which a record was written. */
export interface ProducerTrace extends ProducerIdentity {
  readonly sequence: number
}

export interface ProducerPartitionOptions {
  readonly partition: number
  readonly identity: ProducerIdentity
  readonly maxBatchBytes: number
  readonly compression: Compression
  /** The last sequence number that an earlier process used with this identity, -1 for none. */
  readonly continuesAfter?: number
  /** The pool from which batches take their buffers. */
  readonly buffers?: BatchBuffers
}

export class ProducerPartition {
  readonly partition: number
  #maxBatchBytes: number
  readonly #compression: Compression
  readonly #isContinued: boolean
  readonly #buffers: BatchBuffers | undefined
  #identity: ProducerIdentity
  #nextSequence: number
  #open: RecordBatchWriter | undefined
  #queue: QueuedBatch[] = []
  #inFlight: QueuedBatch[] = []
  #draining = false
  #proven: QueuedBatch[] = []
  /** The broker has acknowledged at least one batch. */
  #isKnown = false
  /** Set until the producer has refreshed the partition's leader. */
  stalled = false

  constructor(options: ProducerPartitionOptions) {
    this.partition = options.partition
    this.#identity = options.identity
    this.#maxBatchBytes = options.maxBatchBytes
    this.#compression = options.compression
    this.#buffers = options.buffers
    this.#isContinued = options.continuesAfter !== undefined
    this.#nextSequence = ((options.continuesAfter ?? -1) + 1) % sequenceModulus
  }

  get isOpen(): boolean {
    return this.#open !== undefined
  }

  get isIdle(): boolean {
    return this.#open === undefined && this.#queue.length === 0 && this.#inFlight.length === 0
  }

  get identity(): ProducerIdentity {
    return this.#identity
  }

  /** The number of messages that are not yet written. */
  get waitingCount(): number {
    const sealed = [...this.#queue, ...this.#inFlight].reduce((sum, batch) => sum + batch.count, 0)
    return sealed + (this.#open?.count ?? 0)
  }

  /** @returns false without taking the message when the open batch is full and has to be sealed first. */
  append(messages: MessageBatch, index: number, timestampMs: number): boolean {
    this.#open ??= new RecordBatchWriter(this.#maxBatchBytes, this.#buffers?.take(this.#maxBatchBytes))
    return this.#open.append(messages, index, timestampMs)
  }

  /** Closes the open batch and queues it. @returns Its size in bytes. */
  seal(): number {
    const open = this.#open
    if (open === undefined) return 0
    this.#open = undefined
    const records = open.finish(this.#compression)
    const batch = this.#queued(records, open.count, this.#nextSequence, records.length)
    this.#nextSequence = sequenceAfter(batch)
    this.#queue.push(batch)
    return batch.chargedBytes
  }

  /** Whether `take` would return a batch. */
  get canSend(): boolean {
    const [next] = this.#queue
    const most = this.#isKnown ? maxInFlight : 1
    if (next === undefined || this.stalled || this.#draining || this.#inFlight.length >= most) return false
    // A new batch could displace an uncertain one from the batches that the broker remembers.
    return next.doubtful || !this.#inFlight.some((batch) => batch.doubtful)
  }

  get hasQueued(): boolean {
    return this.#queue.length > 0
  }

  /** The size of the batch that `take` would return. */
  get nextBytes(): number {
    return this.#queue[0]?.records.length ?? 0
  }

  /** Returns the next batch, which is in flight from now on. */
  take(): QueuedBatch {
    assert(this.canSend, 'a batch that may be sent')
    const [batch] = this.#queue.splice(0, 1)
    assert(batch !== undefined, 'a batch in the queue')
    this.#inFlight.push(batch)
    return batch
  }

  /**
   * Records the result of a batch in flight.
   *
   * @returns Whether failed batches are back in the queue, to be sent again after a metadata refresh, or immediately
   *   when one was split; or why the partition cannot continue.
   */
  settle(batch: QueuedBatch, verdict: Verdict): 'settled' | 'requeued' | 'split' | Impasse {
    if (verdict === 'written') this.#isKnown = true
    if (verdict === 'written' && !this.#draining) {
      this.#inFlight = this.#inFlight.filter((other) => other !== batch)
      return 'settled'
    }
    batch.verdict = verdict
    batch.doubtful ||= verdict === 'unknown'
    this.#draining = true
    if (this.#inFlight.some((other) => other.verdict === undefined)) return 'settled'
    return this.#requeue()
  }

  /** Returns the batches proven written by the answer to a later batch, since the last call. */
  takeProven(): QueuedBatch[] {
    return this.#proven.splice(0)
  }

  /** Called when every batch in flight has its answer. */
  #requeue(): 'requeued' | 'split' | 'settled' | Impasse {
    const failed = this.#failedOfFlight()
    const hopeful = [...failed, ...this.#queue].some((batch) => batch.doubtful && batch.verdict !== 'outOfSequence')
    const first = failed[0]
    this.#inFlight = []
    this.#draining = false
    if (first === undefined) return 'settled'
    const verdict = first.verdict
    for (const batch of failed) batch.verdict = undefined
    this.#queue.unshift(...failed)
    if (verdict === 'tooLarge') return this.#splitFirst(first)
    // The batches behind a failed batch are necessarily out of sequence, but not the first one: its sequence number is
    // wrong. However, while the answer to another uncertain batch is outstanding, that answer may prove that the first
    // was written.
    if (verdict === 'outOfSequence' && !hopeful) return this.#takeNewEpoch()
    return 'requeued'
  }

  /**
   * A restarted broker remembers only the last batch of a producer, and refuses earlier ones as out of sequence. When
   * it has written a later batch, or recognises one as a duplicate, the earlier ones are written too: a broker never
   * writes a batch out of sequence.
   */
  #failedOfFlight(): QueuedBatch[] {
    const lastWritten = this.#inFlight.findLastIndex((batch) => batch.verdict === 'written')
    for (const batch of this.#inFlight.slice(0, Math.max(0, lastWritten))) batch.followed = true
    const isProven = ({ doubtful, followed, verdict }: QueuedBatch) =>
      doubtful && followed && verdict === 'outOfSequence'
    this.#proven.push(...this.#inFlight.filter(isProven))
    return this.#inFlight.filter((batch) => batch.verdict !== 'written' && !isProven(batch))
  }

  #splitFirst(first: QueuedBatch): 'split' | Impasse {
    if (first.count === 1) return 'tooLarge'
    // Later batches are limited to half the size, so that they are not refused first.
    this.#maxBatchBytes = Math.min(this.#maxBatchBytes, Math.ceil(first.records.length / 2))
    let sequence = first.sequence
    const parts = splitBatch(first.records).map(({ records, count }, index) => {
      const part = this.#queued(records, count, sequence, index === 0 ? first.chargedBytes : 0)
      sequence = sequenceAfter(part)
      return part
    })
    this.#queue.splice(0, 1, ...parts)
    return 'split'
  }

  /**
   * The broker no longer knows the producer. The batches restart in a new epoch, unless one of them may be in the log.
   */
  #takeNewEpoch(): 'requeued' | Impasse {
    // A delayed batch of the earlier process was written first: in a new epoch its messages would be written again.
    if (this.#isContinued) return 'overtaken'
    const { producerId, epoch } = this.#identity
    if (this.#queue.some((batch) => batch.doubtful) || epoch === maxEpoch) return 'lost'
    this.#identity = { producerId, epoch: epoch + 1 }
    this.#nextSequence = 0
    for (const batch of this.#queue) {
      batch.sequence = this.#nextSequence
      this.#nextSequence = sequenceAfter(batch)
      this.#identify(batch.records, batch.sequence)
    }
    return 'requeued'
  }

  #queued(records: Buffer, count: number, sequence: number, chargedBytes: number): QueuedBatch {
    this.#identify(records, sequence)
    return { records, count, sequence, chargedBytes, doubtful: false, followed: false, verdict: undefined }
  }

  #identify(records: Buffer, baseSequence: number): void {
    const { producerId, epoch } = this.#identity
    identifyBatch(records, { producerId, producerEpoch: epoch, baseSequence })
  }
}

const maxEpoch = 32_767
/** Sequence numbers go from 0 to 2^31 − 1 and then wrap to 0. */
const sequenceModulus = 2 ** 31

function sequenceAfter(batch: QueuedBatch): number {
  return (batch.sequence + batch.count) % sequenceModulus
}
