/** A price with the position of its message in the total order (timestamp, partition, offset) that decides open and close. */
export interface PlacedPrice {
  readonly timestampUs: number
  readonly partition: number
  readonly offset: number
  /** Scaled by 10^decimals. */
  readonly price: bigint
}

/**
 * The aggregate of some messages of one symbol and window. {@link mergePartials} is associative and commutative, so a
 * window may be merged from any number of these, in any order. Prices and volumes are scaled by 10^decimals (the
 * setting `DECIMALS`), products by its square; all exact. Only partials of one scale may be merged.
 */
export interface PartialRow {
  readonly symbol: string
  readonly windowStartUs: number
  /** Messages, at least one. */
  readonly n: number
  readonly sumClose: bigint
  readonly sumCloseSq: bigint
  readonly sumCloseVolume: bigint
  readonly sumVolume: bigint
  readonly minClose: bigint
  readonly maxClose: bigint
  readonly high: bigint
  readonly low: bigint
  /** The open of the earliest message. */
  readonly first: PlacedPrice
  /** The close of the latest message. */
  readonly last: PlacedPrice
  readonly lateCount: number
}

/** One message's numbers, scaled by 10^decimals. */
export interface Bar {
  readonly symbol: string
  readonly timestampUs: number
  readonly open: bigint
  readonly high: bigint
  readonly low: bigint
  readonly close: bigint
  readonly volume: bigint
}

/** The partial of a single message. */
export function partialOf(
  bar: Bar,
  place: { windowStartUs: number; partition: number; offset: number; isLate: boolean },
): PartialRow {
  const { timestampUs, open, close, volume } = bar
  const { partition, offset } = place
  return {
    symbol: bar.symbol,
    windowStartUs: place.windowStartUs,
    n: 1,
    sumClose: close,
    sumCloseSq: close * close,
    sumCloseVolume: close * volume,
    sumVolume: volume,
    minClose: close,
    maxClose: close,
    high: bar.high,
    low: bar.low,
    first: { timestampUs, partition, offset, price: open },
    last: { timestampUs, partition, offset, price: close },
    lateCount: place.isLate ? 1 : 0,
  }
}

/** Two partials of the same symbol and window as one. */
export function mergePartials(a: PartialRow, b: PartialRow): PartialRow {
  return {
    symbol: a.symbol,
    windowStartUs: a.windowStartUs,
    n: a.n + b.n,
    sumClose: a.sumClose + b.sumClose,
    sumCloseSq: a.sumCloseSq + b.sumCloseSq,
    sumCloseVolume: a.sumCloseVolume + b.sumCloseVolume,
    sumVolume: a.sumVolume + b.sumVolume,
    minClose: lesser(a.minClose, b.minClose),
    maxClose: greater(a.maxClose, b.maxClose),
    high: greater(a.high, b.high),
    low: lesser(a.low, b.low),
    first: isBefore(b.first, a.first) ? b.first : a.first,
    last: isBefore(a.last, b.last) ? b.last : a.last,
    lateCount: a.lateCount + b.lateCount,
  }
}

function isBefore(a: PlacedPrice, b: PlacedPrice): boolean {
  if (a.timestampUs !== b.timestampUs) return a.timestampUs < b.timestampUs
  if (a.partition !== b.partition) return a.partition < b.partition
  return a.offset < b.offset
}

// Math.min and Math.max do not accept BigInt.
function lesser(a: bigint, b: bigint): bigint {
  if (a < b) return a
  return b
}

function greater(a: bigint, b: bigint): bigint {
  if (a > b) return a
  return b
}
