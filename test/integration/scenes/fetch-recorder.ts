import { expect } from 'vitest'
import type { KpiError } from '../../../src/errors.ts'
import type { FetchHandler } from '../../../src/kafka/fetch/fetch-handler.ts'
import { FetchThread } from '../../../src/kafka/fetch/fetch-thread.ts'
import { type FetchedRecords, Fetcher, type FetcherOptions } from '../../../src/kafka/fetch/fetcher.ts'
import { walkRecords } from '../../../src/kafka/records/record-batch.ts'
import type { Logger } from '../../../src/log.ts'
import type { TestTopic } from './kafka-topic.ts'
import { silentLog } from './pipeline.ts'
import { until } from './until.ts'

export interface RecordedMessage {
  readonly offset: number
  readonly timestampMs: number
  readonly value: string | null
}

export interface RecordedPartition {
  readonly messages: RecordedMessage[]
  /** Where the next answer has to begin. */
  next: number
  withoutMessage: number
  endOffset: number
  answers: number
}

/** Where a fetcher may work; what it does there is the same. */
export const places = [
  { place: 'here', inThread: false },
  { place: 'in a thread', inThread: true },
] as const

/** A fetcher whose handler writes down what it is told, and refuses what does not follow on what came before. */
export class FetchRecorder implements FetchHandler {
  readonly partitions = new Map<number, RecordedPartition>()
  readonly outOfRangeReports: { partition: number; offset: number; startOffset: number; endOffset: number }[] = []
  readonly fatalErrors: KpiError[] = []
  readonly unwanted = new Set<number>()
  /** How often the handler was asked whether it wants a partition: at least once a request. */
  wantsCalls = 0
  readonly fetcher: Pick<Fetcher, 'seek' | 'remove' | 'stop'>

  constructor(
    topic: TestTopic,
    { inThread = false, ...options }: Partial<FetcherOptions> & { log?: Logger; inThread?: boolean } = {},
  ) {
    const { cluster, name, metadata } = topic
    const Kind = inThread ? FetchThread : Fetcher
    this.fetcher = new Kind(
      { cluster, topic: name, handler: this, log: silentLog, maxWaitMs: 500, ...options },
      metadata,
    )
  }

  seek(partition: number, offset: number): void {
    this.partitions.set(partition, { messages: [], next: offset, withoutMessage: 0, endOffset: -1, answers: 0 })
    this.fetcher.seek(partition, offset)
  }

  of(partition: number): RecordedPartition {
    const found = this.partitions.get(partition)
    if (!found) throw new Error(`partition ${partition} was not sought`)
    return found
  }

  values(partition: number): (string | null)[] {
    return this.of(partition).messages.map(({ value }) => value)
  }

  get messageCount(): number {
    return [...this.partitions.values()].reduce((sum, { messages }) => sum + messages.length, 0)
  }

  async untilCount(count: number): Promise<void> {
    await until(
      `${count} messages`,
      () => this.messageCount,
      (found) => found >= count,
    )
    expect(this.messageCount).toBe(count)
  }

  wants(partition: number): boolean {
    this.wantsCalls += 1
    return !this.unwanted.has(partition)
  }

  records(answer: readonly FetchedRecords[]): void {
    for (const fetched of answer) this.#write(fetched)
  }

  #write({ partition, range, from, next, aborted, endOffset }: FetchedRecords): void {
    const found = this.of(partition)
    expect(from).toBe(found.next)
    const walked = walkRecords(range, from, aborted, {
      record: (buffer, offset, timestampMs, valueStart, valueEnd) => {
        const value = valueStart < 0 ? null : buffer.toString('utf8', valueStart, valueEnd)
        found.messages.push({ offset, timestampMs, value })
      },
      withoutMessage: (count) => {
        found.withoutMessage += count
      },
    })
    expect(walked).toBe(next)
    found.next = next
    found.endOffset = endOffset
    found.answers += 1
  }

  outOfRange(partition: number, offset: number, log: { startOffset: number; endOffset: number }): void {
    this.outOfRangeReports.push({ partition, offset, ...log })
  }

  fatal(error: KpiError): void {
    this.fatalErrors.push(error)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fetcher.stop()
    expect(this.fatalErrors.map(({ message }) => message)).toEqual(this.expectedFatalErrors)
  }

  /** What has to stand in `fatalErrors` at the end. */
  expectedFatalErrors: unknown[] = []
}
