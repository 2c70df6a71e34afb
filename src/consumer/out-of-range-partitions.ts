import { KpiError, messageOf } from '../errors.ts'
import type { LogRange } from '../kafka/fetch/fetcher.ts'
import type { Logger } from '../log.ts'
import { type Clock, every } from '../runtime/clock.ts'
import type { Position } from '../store/positions/positions.ts'

export interface OutOfRangeOptions {
  readonly log: Logger
  readonly clock: Clock
  readonly readPositions: (partitions: readonly number[]) => Promise<readonly Position[]>
  /** Continues reading at this position. */
  readonly resume: (position: Position) => void
  /** The database has no position of these partitions any more. */
  readonly unknown: (partitions: readonly number[]) => void
}

/** A partition that cannot be read from its position. */
export interface OutOfRangePartition {
  readonly partition: number
  readonly offset: number
  /** Present when the log differs from the one that was read up to `offset`; the two agree up to this offset. */
  readonly agreesTo?: number
}

interface OutOfRange extends OutOfRangePartition {
  readonly error: KpiError
  isReported: boolean
}

const checkIntervalMs = 5000
const looksPerReport = 6

/**
 * Partitions that cannot be read on: messages were deleted before they were read, or the log was truncated, and may
 * have grown again with other messages. Fetching is ahead of the position in the database, so that position is compared
 * first: when the log agrees with the database, only uncommitted messages are read again. Otherwise the partition waits
 * and logs a warning every half minute until `offsets accept-gap` has moved the position.
 */
export class OutOfRangePartitions {
  readonly #options: OutOfRangeOptions
  readonly #stranded = new Map<number, OutOfRange>()
  #stopLooking: (() => void) | undefined
  #observations = 0

  constructor(options: OutOfRangeOptions) {
    this.#options = options
  }

  get partitions(): OutOfRangePartition[] {
    return [...this.#stranded.values()]
      .map(({ error: _error, isReported: _isReported, ...stranded }) => stranded)
      .sort((a, b) => a.partition - b.partition)
  }

  add(partition: number, offset: number, log: LogRange): void {
    const { agreesTo } = log
    const error = lossError(partition, offset, log)
    const stranded = { partition, offset, ...(agreesTo === undefined ? {} : { agreesTo }), error, isReported: false }
    this.#stranded.set(partition, stranded)
    this.#stopLooking ??= every(this.#options.clock, checkIntervalMs, () => void this.#look())
    void this.#look()
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
    const asked = [...this.#stranded.values()]
    try {
      const positions = await this.#options.readPositions(asked.map(({ partition }) => partition))
      for (const stranded of asked) {
        // The partition was given up, or is out of range at another offset, since the query was sent.
        if (this.#stranded.get(stranded.partition) !== stranded) continue
        this.#compare(
          stranded,
          positions.find(({ partition }) => partition === stranded.partition),
        )
      }
    } catch (error) {
      this.#options.log.debug(`partitions that cannot be read: ${messageOf(error)}`)
    }
    this.#observations += 1
    const isTime = this.#observations % looksPerReport === 0
    for (const stranded of this.#stranded.values()) if (isTime || !stranded.isReported) this.#report(stranded)
  }

  #compare({ partition, offset }: OutOfRange, position: Position | undefined): void {
    if (position?.nextOffset === offset) return
    this.remove(partition)
    if (position === undefined) {
      this.#options.unknown([partition])
      return
    }
    this.#options.log.info(`partition ${partition} is read on from offset ${position.nextOffset}`)
    this.#options.resume(position)
  }

  #report(stranded: OutOfRange): void {
    stranded.isReported = true
    this.#options.log.error(stranded.error.message)
  }
}

function lossError(partition: number, offset: number, log: LogRange): KpiError {
  const remedy = `this partition is not read until 'market-kpi offsets accept-gap --partition ${partition}' records what was lost`
  if (log.agreesTo !== undefined) {
    return new KpiError(
      'KPI_LOG_DIVERGED',
      `the log of partition ${partition} agrees only up to offset ${log.agreesTo} with what was read up to offset ${offset}: ` +
        `it was cut there and written again, as after an unclean leader election; ${remedy}`,
    )
  }
  const what =
    offset < log.startOffset
      ? `the log of partition ${partition} now begins at offset ${log.startOffset}, and the messages from ${offset} on were deleted before they were read`
      : `the log of partition ${partition} ends at offset ${log.endOffset}, before the position ${offset}: it was cut back`
  return new KpiError('KPI_OFFSET_OUT_OF_RANGE', `${what}; ${remedy}`)
}
