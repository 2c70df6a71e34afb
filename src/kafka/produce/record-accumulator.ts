import { assert } from '../../errors.ts'
import type { BatchBuffers } from '../records/batch-buffers.ts'
import type { MessageBatch } from '../records/message-batch.ts'
import { partitionOf } from '../records/message-key.ts'
import type { ProducerPartition, QueuedBatch } from './producer-partition.ts'

export interface RecordAccumulatorOptions {
  readonly partitions: readonly ProducerPartition[]
  /** The pool to which the buffers of acknowledged batches return. */
  readonly buffers: BatchBuffers
  /** How long a message waits for others in the same batch. */
  readonly lingerMs: number
  /** No further batch is opened while this much is unacknowledged. */
  readonly maxBufferedBytes: number
  /** Called when a batch of this partition was queued. */
  readonly sealed: (partition: ProducerPartition) => void
  /** Called when the linger time of open batches has passed: they are to be sent. */
  readonly lingered: () => void
}

/**
 * Adds messages to the open batch of their partition, and seals a batch when it is full or its linger time has passed.
 * Its memory is limited; acknowledged batches free it.
 */
export class RecordAccumulator {
  readonly #options: RecordAccumulatorOptions
  /**
   * Partitions whose open batch has passed its linger time while earlier batches are queued. The batch keeps growing,
   * because many small batches would be slow to send.
   */
  readonly #overdue = new Set<ProducerPartition>()
  #bufferedBytes = 0
  #lingering: NodeJS.Timeout | undefined

  constructor(options: RecordAccumulatorOptions) {
    this.#options = options
  }

  /** Adds one message. @returns false without taking it when there is no room for it now. */
  place(messages: MessageBatch, index: number, timestampMs: number): boolean {
    const { partitions, maxBufferedBytes } = this.#options
    const partition = partitions[partitionOf(messages.key(index), partitions.length)]
    assert(partition !== undefined, 'a topic with partitions')
    if (partition.isOpen) {
      if (partition.append(messages, index, timestampMs)) return true
      this.#seal(partition)
    }
    if (this.#bufferedBytes >= maxBufferedBytes) return false
    partition.append(messages, index, timestampMs)
    this.#lingering ??= setTimeout(() => this.#linger(), this.#options.lingerMs)
    return true
  }

  sealAll(): void {
    for (const partition of this.#options.partitions) if (partition.isOpen) this.#seal(partition)
  }

  /** Seals batches that have passed their linger time, unless earlier ones are queued. */
  sealOverdue(): void {
    for (const partition of this.#overdue) {
      if (partition.hasQueued) continue
      this.#overdue.delete(partition)
      if (partition.isOpen) this.#seal(partition)
    }
  }

  /** Releases a batch whose memory is not used any more. */
  release(batch: QueuedBatch): void {
    this.#bufferedBytes -= batch.chargedBytes
    this.#options.buffers.give(batch.records)
  }

  stop(): void {
    clearTimeout(this.#lingering)
  }

  #seal(partition: ProducerPartition): void {
    this.#overdue.delete(partition)
    this.#bufferedBytes += partition.seal()
    this.#options.sealed(partition)
  }

  #linger(): void {
    this.#lingering = undefined
    for (const partition of this.#options.partitions) if (partition.isOpen) this.#overdue.add(partition)
    this.#options.lingered()
  }
}
