import { KpiError, messageOf } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { Position } from '../store/positions.ts'
import { type Clock, every } from './clock.ts'

/** What the log holds of a partition. */
export interface LogRange {
  readonly startOffset: number
  readonly endOffset: number
}

export interface StrandedOptions {
  readonly log: Logger
  readonly clock: Clock
  readonly readPositions: (partitions: readonly number[]) => Promise<readonly Position[]>
  /** Reading goes on from here. */
  readonly resume: (position: Position) => void
}

interface Stranded {
  readonly partition: number
  readonly offset: number
  readonly error: KpiError
}

const lookIntervalMs = 5000
const looksPerComplaint = 6

/**
 * Partitions whose position is not in the log: messages were deleted before they were read, or the log was cut back.
 * They stand still and say so every half minute, until `offsets accept-gap` has moved the position.
 */
export class StrandedPartitions {
  readonly #options: StrandedOptions
  readonly #stranded = new Map<number, Stranded>()
  #stopLooking: (() => void) | undefined
  #looks = 0

  constructor(options: StrandedOptions) {
    this.#options = options
  }

  get partitions(): number[] {
    return [...this.#stranded.keys()].sort((a, b) => a - b)
  }

  add(partition: number, offset: number, log: LogRange): void {
    const error = outOfRange(partition, offset, log)
    this.#stranded.set(partition, { partition, offset, error })
    this.#options.log.error(error.message)
    this.#stopLooking ??= every(this.#options.clock, lookIntervalMs, () => void this.#look())
  }

  remove(partition: number): void {
    this.#stranded.delete(partition)
    if (this.#stranded.size === 0) this.stop()
  }

  stop(): void {
    this.#stopLooking?.()
    this.#stopLooking = undefined
  }

  async #look(): Promise<void> {
    this.#looks += 1
    if (this.#looks % looksPerComplaint === 0) {
      for (const { error } of this.#stranded.values()) this.#options.log.error(error.message)
    }
    try {
      for (const position of await this.#options.readPositions(this.partitions)) {
        const stranded = this.#stranded.get(position.partition)
        if (stranded === undefined || position.nextOffset === stranded.offset) continue
        this.remove(position.partition)
        this.#options.log.info(`partition ${position.partition} goes on at offset ${position.nextOffset}`)
        this.#options.resume(position)
      }
    } catch (error) {
      this.#options.log.debug(`stranded partitions: ${messageOf(error)}`)
    }
  }
}

function outOfRange(partition: number, offset: number, { startOffset, endOffset }: LogRange): KpiError {
  const what =
    offset < startOffset
      ? `the log of partition ${partition} now begins at offset ${startOffset}, and the messages from ${offset} on were deleted before they were read`
      : `the log of partition ${partition} ends at offset ${endOffset}, before the position ${offset}: it was cut back`
  return new KpiError(
    'KPI_OFFSET_OUT_OF_RANGE',
    `${what}; this partition stands still until 'market-kpi offsets accept-gap --partition ${partition}' records the gap`,
  )
}
