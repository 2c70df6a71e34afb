import { assert } from '../../errors.ts'
import type { BatchBuffers } from '../records/batch-buffers.ts'
import type { MessageBatch } from '../records/message-batch.ts'
import { type Compression, identifyBatch, RecordBatchWriter } from '../records/record-batch-writer.ts'
import { splitBatch } from '../records/split-batch.ts'

/**
 * What waits for one partition, in order, and the sequence numbers under which the broker knows it. No I/O.
 *
 * A batch is `open → queued → in flight → written`. When one in flight fails, the partition is *draining*: nothing is
 * sent until every batch in flight has an answer; then those that failed go back to the front of the queue, in order,
 * with the sequence numbers they had, so that the broker recognises what it has already. While one of those is in flight,
 * nothing new is. Nor is anything behind the very first batch: from a producer it does not know, a broker takes any number,
 * so the second would be written where the first was refused (KAFKA-14359).
 *
 * Invariants: sequence numbers are dense and in queue order; at most {@link maxInFlight} batches are in flight, as many
 * as a broker remembers of a producer; a batch's sequence changes only with a new epoch, and that is taken only when
 * no batch can have reached the log (KIP-360).
 *
 * A partition may continue what an earlier process wrote, under its identity and from the number behind its last record.
 * Number and content then belong together: of our batch and a straggler of that process, for the same numbers, the broker
 * writes the one that comes first and refuses the other, or knows it again.
 */
export const maxInFlight = 5

/** `unknown`: it may have been written, there was no (clear) answer. `outOfSequence`: refused for its place. */
export type Verdict = 'written' | 'refused' | 'unknown' | 'outOfSequence' | 'tooLarge'

export interface QueuedBatch {
  readonly records: Buffer
  readonly count: number
  /** What it takes of the producer's memory. */
  readonly chargedBytes: number
  /** Of its first record. */
  sequence: number
  /** An earlier attempt may have been written. */
  doubtful: boolean
  /** One behind it was written. */
  followed: boolean
  verdict: Verdict | undefined
}

/** Why a partition cannot go on without risk of loss or repetition. */
export type Impasse = 'lost' | 'overtaken' | 'tooLarge'

export interface ProducerIdentity {
  readonly producerId: bigint
  readonly epoch: number
}

/** Under which identity and number a record was written. */
export interface ProducerTrace extends ProducerIdentity {
  readonly sequence: number
}

export interface ProducerPartitionOptions {
  readonly partition: number
  readonly identity: ProducerIdentity
  readonly maxBatchBytes: number
  readonly compression: Compression
  /** The last sequence number that an earlier process used under this identity, -1 for none. */
  readonly continuesAfter?: number
  /** Where the buffers of batches come from. */
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
  /** The broker has acknowledged something. */
  #isKnown = false
  /** Until the producer has looked for the leader again. */
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

  /** Messages that are not written yet. */
  get waitingCount(): number {
    const sealed = [...this.#queue, ...this.#inFlight].reduce((sum, batch) => sum + batch.count, 0)
    return sealed + (this.#open?.count ?? 0)
  }

  /** @returns false, and takes nothing, when the open batch is full and has to be sealed first. */
  append(messages: MessageBatch, index: number, timestampMs: number): boolean {
    this.#open ??= new RecordBatchWriter(this.#maxBatchBytes, this.#buffers?.take(this.#maxBatchBytes))
    return this.#open.append(messages, index, timestampMs)
  }

  /** Closes the open batch and queues it. @returns Its bytes. */
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

  /** Whether `take` would give a batch. */
  get canSend(): boolean {
    const [next] = this.#queue
    const most = this.#isKnown ? maxInFlight : 1
    if (next === undefined || this.stalled || this.#draining || this.#inFlight.length >= most) return false
    // A new batch would push one that is in doubt out of what the broker remembers.
    return next.doubtful || !this.#inFlight.some((batch) => batch.doubtful)
  }

  get hasQueued(): boolean {
    return this.#queue.length > 0
  }

  /** The bytes of the batch that `take` would give. */
  get nextBytes(): number {
    return this.#queue[0]?.records.length ?? 0
  }

  /** The next batch, which is in flight from now on. */
  take(): QueuedBatch {
    assert(this.canSend, 'a batch that may be sent')
    const [batch] = this.#queue.splice(0, 1)
    assert(batch !== undefined, 'a batch in the queue')
    this.#inFlight.push(batch)
    return batch
  }

  /**
   * Takes note of what became of a batch in flight.
   *
   * @returns Whether failed batches are back in the queue, to be sent again after a look at the metadata, or at once when
   *   one was split; or why the partition cannot go on.
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

  /** Batches that turned out to be written by the answer to one behind them, since the last call. */
  takeProven(): QueuedBatch[] {
    return this.#proven.splice(0)
  }

  /** Every batch in flight has its answer. */
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
    // Behind a batch that failed, the others are out of sequence by necessity. The first has no such excuse.
    // But while one batch in doubt has not got that answer, what it gets may prove the first one.
    if (verdict === 'outOfSequence' && !hopeful) return this.#takeNewEpoch()
    return 'requeued'
  }

  /**
   * A broker that was restarted remembers only the last batch of a producer, and refuses those before it as out of
   * sequence. When it has taken one behind them, or knows it again, they are written: it takes none out of its turn.
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
    // The next ones need not be refused first.
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

  /** The broker has forgotten us. Unless one of the batches may be in its log, they start over in a new epoch. */
  #takeNewEpoch(): 'requeued' | Impasse {
    // A straggler of the earlier process came first: a new epoch would write the same again.
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
/** Sequence numbers go from 0 to 2^31 − 1 and start over. */
const sequenceModulus = 2 ** 31

function sequenceAfter(batch: QueuedBatch): number {
  return (batch.sequence + batch.count) % sequenceModulus
}
