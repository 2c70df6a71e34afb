import type { MessageBatch } from '../kafka/records/message-batch.ts'

/**
 * A running source of prices, opened by one of the sources in sources/registry.ts. It is pulled: it works, and waits
 * until something is due, only inside `next`. So the interface suits polling and sockets as well as files.
 *
 * A source returns messages as bytes, not prices. The replay copies the digits of the file and adds a header that
 * names the line, and the simulation also sends bad messages and exact copies, none of which a price object could
 * hold. Measured for simulated prices: price objects between market and writer, reused for each batch, cost no
 * measurable CPU; a new object for each price costs 12 %.
 */
export interface PriceSource {
  /** One line about what it sends. */
  readonly description: string
  /** Lines or answers of the source that could not be made into a message. */
  readonly rejectedCount: number
  /** State of a replay of recorded prices; absent for sources that send current prices. */
  readonly replay?: Replay | undefined
  /**
   * Waits until messages are due and returns them, in order; undefined at the end, or when the signal is aborted. The
   * source owns the batch: the next call overwrites it.
   *
   * @throws KpiError `KPI_FEED_FILE` when the source cannot be read any further.
   */
  next(signal: AbortSignal): Promise<MessageBatch | undefined>
  /** Closes files and connections. Idempotent. */
  stop(): Promise<void>
}

/** How far a replay has come in recorded time. */
export interface Replay {
  /** The latest timestamp so far, in milliseconds since the Unix epoch; null before the first price. */
  readonly eventAtMs: number | null
  /** Whether prices are sent at a limited speed, rather than as fast as possible. */
  readonly isPaced: boolean
}

/** Limits of a batch: large enough to make producer calls cheap, small enough to be filled in a few milliseconds. */
export const batchLimits = { maxMessages: 4096, maxBytes: 768 * 1024 } as const
