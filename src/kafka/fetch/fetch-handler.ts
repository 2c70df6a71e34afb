import type { KpiError } from '../../errors.ts'
import type { FetchedRecords, LogRange } from './partition-fetch.ts'

/** What a fetcher brings its answers to. */
export interface FetchHandler {
  /** Whether this partition may be asked for now. */
  wants(partition: number): boolean
  /**
   * Takes in what one answer brought. Another one of the same leader is handed over when this has returned, and the
   * promise it may return is settled. The buffers hold as long, and with one more turn of memory for one answer more.
   */
  records(fetched: readonly FetchedRecords[]): void | Promise<void>
  /**
   * The log does not hold the offset asked for, or is another one than what was read below it. The partition is not read
   * any more.
   */
  outOfRange(partition: number, offset: number, log: LogRange): void
  /** Nothing can be read any more; the worker has to end. */
  fatal(error: KpiError): void
}

/** What a logger does too. */
export interface FetchLog {
  info(message: string): void
  warn(message: string): void
}
