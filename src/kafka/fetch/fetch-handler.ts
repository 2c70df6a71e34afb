import type { KpiError } from '../../errors.ts'
import type { FetchedRecords, LogRange } from './partition-fetch.ts'

/** Receives what a fetcher reads. */
export interface FetchHandler {
  /** Whether the partition may be fetched now. */
  wants(partition: number): boolean
  /**
   * Processes the records of one answer. The next answer of the same leader is delivered after this has returned and
   * the returned promise, if any, has resolved. The buffers are valid until then; when the fetcher has one more buffer,
   * they are valid for one more answer.
   */
  records(fetched: readonly FetchedRecords[]): void | Promise<void>
  /**
   * The log does not contain the requested offset, or its records before that offset differ from those that were read
   * (after a truncation). The partition is not fetched any more.
   */
  outOfRange(partition: number, offset: number, log: LogRange): void
  /** A permanent failure: fetching has ended and the worker must stop. */
  fatal(error: KpiError): void
}

/** The part of a logger that the fetcher uses. */
export interface FetchLog {
  info(message: string): void
  warn(message: string): void
}
