import type { BadKind } from '../../../src/feed/simulate/bad-messages.ts'
import type { KnownMessage, Tick } from './known-messages.ts'

interface Place {
  readonly timestampUs: bigint
  readonly partition: number
  readonly offset: number
  readonly price: bigint
}

interface Window {
  n: number
  sumClose: bigint
  sumCloseSq: bigint
  sumCloseVolume: bigint
  sumVolume: bigint
  min: bigint
  max: bigint
  high: bigint
  low: bigint
  first: Place
  last: Place
  late: number
}

interface PartitionCounts {
  watermarkUs: bigint
  nextOffset: number
  merged: number
  rejected: number
  /** Offsets without one that counts: markers of transactions, and what those held that were aborted. */
  withoutMessage: number
  /** Offsets that were counted and then cut off the log. */
  rewound: number
  /** Of those that were rejected, and are not in dead_letters any more since their offsets are other messages'. */
  archived: number
}

/** A message that has to stand in dead_letters. */
export interface ExpectedLetter {
  readonly reason: BadKind
  readonly key: string
  readonly value: string
}

const windowUs = 300_000_000n
const latenessUs = 120_000_000n

/** What the tables have to hold, added up one message after the other in bigints. */
export class Oracle {
  readonly #windows = new Map<string, Window>()
  readonly partitions: PartitionCounts[] = []

  /**
   * What a partition's log has at the next offset.
   *
   * @param message - Undefined where there is none that counts.
   * @returns The letter, when that is what it comes to.
   */
  add(partition: number, message: KnownMessage | undefined): ExpectedLetter | undefined {
    const counts = this.#counts(partition)
    const offset = counts.nextOffset++
    if (message === undefined) {
      counts.withoutMessage += 1
      return undefined
    }
    const { key, value, meaning } = message
    if (typeof meaning === 'string') {
      counts.rejected += 1
      return { reason: meaning, key, value }
    }
    counts.merged += 1
    const startUs = meaning.timestampUs - (meaning.timestampUs % windowUs)
    const isLate = counts.watermarkUs > startUs + windowUs + latenessUs
    if (meaning.timestampUs > counts.watermarkUs) counts.watermarkUs = meaning.timestampUs
    this.#merge(`${meaning.symbol} ${startUs}`, meaning, { partition, offset }, isLate)
    return undefined
  }

  /**
   * The log was cut here after more of it was counted, and a gap says so: what was counted stays in the rows, and other
   * messages get its offsets.
   *
   * @param letters - How many of the offsets given back were rejected.
   */
  rewind(partition: number, offset: number, letters: number): void {
    const counts = this.#counts(partition)
    counts.rewound += counts.nextOffset - offset
    counts.archived += letters
    counts.nextOffset = offset
  }

  nextOffset(partition: number): number {
    return this.partitions[partition]?.nextOffset ?? 0
  }

  #counts(partition: number): PartitionCounts {
    this.partitions[partition] ??= {
      watermarkUs: -1n,
      nextOffset: 0,
      merged: 0,
      rejected: 0,
      withoutMessage: 0,
      rewound: 0,
      archived: 0,
    }
    return this.partitions[partition]
  }

  /** By symbol and start, as one text a row; see `tableRows` of check-tables.ts. */
  rows(): Map<string, string> {
    return new Map([...this.#windows].map(([key, window]) => [key, rowText(key, window)]))
  }

  get rowCount(): number {
    return this.#windows.size
  }

  #merge(key: string, tick: Tick, at: { partition: number; offset: number }, isLate: boolean): void {
    const { timestampUs, close, volume, high, low } = tick
    const first = { timestampUs, ...at, price: tick.open }
    const last = { timestampUs, ...at, price: close }
    const window = this.#windows.get(key)
    if (window === undefined) {
      this.#windows.set(key, newWindow(tick, first, last, isLate))
      return
    }
    window.n += 1
    window.sumClose += close
    window.sumCloseSq += close * close
    window.sumCloseVolume += close * volume
    window.sumVolume += volume
    if (close < window.min) window.min = close
    if (close > window.max) window.max = close
    if (high > window.high) window.high = high
    if (low < window.low) window.low = low
    if (isBefore(first, window.first)) window.first = first
    if (isBefore(window.last, last)) window.last = last
    if (isLate) window.late += 1
  }
}

function newWindow(tick: Tick, first: Place, last: Place, isLate: boolean): Window {
  const { close, volume, high, low } = tick
  return {
    n: 1,
    sumClose: close,
    sumCloseSq: close * close,
    sumCloseVolume: close * volume,
    sumVolume: volume,
    min: close,
    max: close,
    high,
    low,
    first,
    last,
    late: isLate ? 1 : 0,
  }
}

function isBefore(a: Place, b: Place): boolean {
  if (a.timestampUs !== b.timestampUs) return a.timestampUs < b.timestampUs
  return a.partition === b.partition ? a.offset < b.offset : a.partition < b.partition
}

function rowText(key: string, window: Window): string {
  const { first, last } = window
  const startUs = BigInt(key.slice(key.lastIndexOf(' ') + 1))
  return [
    ...[startUs + windowUs, window.n, window.sumClose, window.sumCloseSq, window.sumCloseVolume, window.sumVolume],
    ...[window.min, window.max, window.high, window.low],
    ...[first.timestampUs, first.partition, first.offset, first.price],
    ...[last.timestampUs, last.partition, last.offset, last.price, window.late],
  ].join(' ')
}
