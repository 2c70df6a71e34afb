import type { MessageBatch } from '../kafka/records/message-batch.ts'

/**
 * A running source of prices, opened by one of the sources that sources/registry.ts lists. Pulled: it works, and waits
 * until something is due, only inside `next`. So it suits a source that is polled or a socket as well as a file.
 *
 * A source returns messages as bytes, not prices. The replay copies the digits of the file and adds a header that names the
 * line, and the simulation also sends bad messages and exact copies: none of these is a price. Measured for simulated
 * prices: objects between market and writer, reused for each batch, cost no measurable CPU; a new object for each price costs 12 %.
 */
export interface PriceSource {
  /** What it sends, in one line. */
  readonly description: string
  /** Lines or answers of the source that could not be made into a message. */
  readonly rejectedCount: number
  /** Of prices with recorded times instead of those of now; absent where there are none. */
  readonly replay?: Replay | undefined
  /**
   * Waits until messages are due and returns them, in order; undefined at the end, or when the signal is aborted. The
   * batch is the source's own: the next call overwrites it.
   *
   * @throws KpiError `KPI_FEED_FILE` when the source cannot be read any further.
   */
  next(signal: AbortSignal): Promise<MessageBatch | undefined>
  /** Lets go of files and connections. Idempotent. */
  stop(): Promise<void>
}

/** Where a replay is by its own clock. */
export interface Replay {
  /** The latest time of a price so far, milliseconds since the Unix epoch; null before the first. */
  readonly eventAtMs: number | null
  /** Whether its prices come at a pace, rather than as fast as it goes. */
  readonly isPaced: boolean
}

/** A batch for the producer: large enough to make its calls cheap, small enough to be made in a few milliseconds. */
export const batchLimits = { maxMessages: 4096, maxBytes: 768 * 1024 } as const
