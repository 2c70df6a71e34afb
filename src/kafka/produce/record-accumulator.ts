import { assert } from '../../errors.ts'
import type { BatchBuffers } from '../records/batch-buffers.ts'
import type { MessageBatch } from '../records/message-batch.ts'
import { partitionOf } from '../records/message-key.ts'
import type { ProducerPartition, QueuedBatch } from './producer-partition.ts'

export interface RecordAccumulatorOptions {
  readonly partitions: readonly ProducerPartition[]
  /** Where the buffers of acknowledged batches go. */
  readonly buffers: BatchBuffers
  /** How long a message waits for others to share its batch. */
  readonly lingerMs: number
  /** No further batch is opened while so much is not acknowledged. */
  readonly maxBufferedBytes: number
  /** A batch of this partition was queued. */
  readonly sealed: (partition: ProducerPartition) => void
  /** Open batches have lingered: time to send. */
  readonly lingered: () => void
}

/**
 * Puts messages into the open batch of their partition, and seals a batch when it is full or has lingered. Bounded in
 * bytes: what is acknowledged makes room.
 */
export class RecordAccumulator {
  readonly #options: RecordAccumulatorOptions
  /** Their open batch has lingered, but grows while others wait before it: many small batches would be slow to send. */
  readonly #overdue = new Set<ProducerPartition>()
  #bufferedBytes = 0
  #lingering: NodeJS.Timeout | undefined

  constructor(options: RecordAccumulatorOptions) {
    this.#options = options
  }

  /** Takes one message in. @returns false, and takes nothing, when there is no room for it now. */
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

  /** Seals all open batches. */
  sealAll(): void {
    for (const partition of this.#options.partitions) if (partition.isOpen) this.#seal(partition)
  }

  /** Seals batches that have lingered, as far as nothing waits before them. */
  sealOverdue(): void {
    for (const partition of this.#overdue) {
      if (partition.hasQueued) continue
      this.#overdue.delete(partition)
      if (partition.isOpen) this.#seal(partition)
    }
  }

  /** Nobody needs this batch's memory any more. */
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
