import type { PlainMessage } from './plain-decoder.ts'

/** A price and the position of its message in the order that decides open and close. */
export interface PlainPlace {
  readonly timestampUs: number
  readonly partition: number
  readonly offset: number
  readonly price: bigint
}

/** The aggregate of the messages of one symbol and window, added one by one. */
export interface PlainWindow {
  n: number
  sumClose: bigint
  sumCloseSq: bigint
  sumCloseVolume: bigint
  sumVolume: bigint
  minClose: bigint
  maxClose: bigint
  high: bigint
  low: bigint
  first: PlainPlace
  last: PlainPlace
  late: number
  /** Messages for which the log no longer shows whether they were late. */
  maybeLate: number
}

export interface WindowRange {
  /** Only these, where there are any. */
  readonly symbols?: readonly string[] | undefined
  readonly fromUs?: number | undefined
  /** Exclusive. */
  readonly toUs?: number | undefined
}

/** A key by symbol and window, as symbols have no spaces. */
export function windowKey(symbol: string, startUs: number): string {
  return `${symbol} ${startUs}`
}

export function partsOf(key: string): { symbol: string; startUs: number } {
  const [symbol = '', start] = key.split(' ')
  return { symbol, startUs: Number(start) }
}

/** The windows of a range, by {@link windowKey}; those beyond a number are only counted. */
export class PlainWindows {
  readonly #windowUs: number
  readonly #range: WindowRange
  readonly #symbols: ReadonlySet<string> | undefined
  readonly #maxWindows: number
  readonly windows = new Map<string, PlainWindow>()
  /** Messages of windows for which there was no room. */
  crowdedOut = 0

  constructor(options: { windowSeconds: number; range: WindowRange; maxWindows: number }) {
    this.#windowUs = options.windowSeconds * 1e6
    this.#range = options.range
    this.#symbols = options.range.symbols && new Set(options.range.symbols)
    this.#maxWindows = options.maxWindows
  }

  startOf(timestampUs: number): number {
    return timestampUs - (timestampUs % this.#windowUs)
  }

  /** @param late - `maybe` where the log does not show it. */
  add(message: PlainMessage, place: { partition: number; offset: number }, late: boolean | 'maybe'): void {
    const { symbol, timestampUs } = message
    const startUs = this.startOf(timestampUs)
    const { fromUs = 0, toUs = Number.POSITIVE_INFINITY } = this.#range
    if (startUs < fromUs || startUs >= toUs) return
    if (this.#symbols && !this.#symbols.has(symbol)) return
    const key = windowKey(symbol, startUs)
    const open = { timestampUs, ...place, price: message.open }
    const close = { timestampUs, ...place, price: message.close }
    const window = this.windows.get(key) ?? this.#begin(key, message, open, close)
    if (window) addTo(window, message, open, close, late)
  }

  #begin(key: string, message: PlainMessage, open: PlainPlace, close: PlainPlace): PlainWindow | undefined {
    if (this.windows.size >= this.#maxWindows) {
      this.crowdedOut += 1
      return undefined
    }
    const { close: price, high, low } = message
    const empty = { n: 0, sumClose: 0n, sumCloseSq: 0n, sumCloseVolume: 0n, sumVolume: 0n, late: 0, maybeLate: 0 }
    const window = { ...empty, minClose: price, maxClose: price, high, low, first: open, last: close }
    this.windows.set(key, window)
    return window
  }
}

function addTo(
  window: PlainWindow,
  { high, low, close, volume }: PlainMessage,
  openPlace: PlainPlace,
  closePlace: PlainPlace,
  late: boolean | 'maybe',
): void {
  window.n += 1
  window.sumClose += close
  window.sumCloseSq += close * close
  window.sumCloseVolume += close * volume
  window.sumVolume += volume
  if (close < window.minClose) window.minClose = close
  if (close > window.maxClose) window.maxClose = close
  if (high > window.high) window.high = high
  if (low < window.low) window.low = low
  if (isEarlier(openPlace, window.first)) window.first = openPlace
  if (isEarlier(window.last, closePlace)) window.last = closePlace
  if (late === true) window.late += 1
  if (late === 'maybe') window.maybeLate += 1
}

function isEarlier(a: PlainPlace, b: PlainPlace): boolean {
  if (a.timestampUs !== b.timestampUs) return a.timestampUs < b.timestampUs
  return a.partition === b.partition ? a.offset < b.offset : a.partition < b.partition
}
