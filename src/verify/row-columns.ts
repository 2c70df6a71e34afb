import { type ComparedColumnName, windowColumns } from '../store/windows/window-columns.ts'
import { isoInstant } from './findings.ts'
import type { PlainWindow } from './plain-windows.ts'

/** A value that a column must have: value / 10^scale, or a quotient or root that is rounded somewhere. */
export interface ExpectedValue {
  readonly value: bigint
  readonly scale: number
  /** PostgreSQL rounds it: only its first 12 significant digits are compared. */
  readonly isRounded?: true
  /** Where the log does not determine the exact value: all values from `value` up to this are accepted. */
  readonly upTo?: bigint
}

/** The columns of a row that are compared; symbol and window_start identify the row. */
export type ComparedColumn = Exclude<ComparedColumnName, 'symbol' | 'window_start'>

/** Each column of the row that a window should have; null where it must be null. */
export function expectedColumns(
  w: PlainWindow,
  startUs: number,
  { windowSeconds, decimals }: { windowSeconds: number; decimals: number },
): Record<ComparedColumn, ExpectedValue | null> {
  const n = BigInt(w.n)
  const price = (value: bigint) => ({ value, scale: decimals })
  const product = (value: bigint) => ({ value, scale: 2 * decimals })
  const digits = roundedScale(decimals)
  const deviation = root(product(n * w.sumCloseSq - w.sumClose * w.sumClose), digits)
  const volume = w.sumVolume === 0n ? null : price(w.sumVolume)
  return {
    window_end: whole(startUs + windowSeconds * 1e6),
    trade_count: whole(w.n),
    min_close: price(w.minClose),
    max_close: price(w.maxClose),
    total_volume: price(w.sumVolume),
    open_price: price(w.first.price),
    high_price: price(w.high),
    low_price: price(w.low),
    close_price: price(w.last.price),
    first_event_at: whole(w.first.timestampUs),
    last_event_at: whole(w.last.timestampUs),
    late_count: { ...whole(w.late), upTo: BigInt(w.late + w.maybeLate) },
    avg_close: quotient(price(w.sumClose), whole(w.n), digits),
    vwap: volume && quotient(product(w.sumCloseVolume), volume, digits),
    price_volatility: price(w.maxClose - w.minClose),
    close_stddev: quotient(deviation, whole(w.n), digits),
    sum_close: price(w.sumClose),
    sum_close_sq: product(w.sumCloseSq),
    sum_close_volume: product(w.sumCloseVolume),
    first_partition: whole(w.first.partition),
    first_offset: whole(w.first.offset),
    last_partition: whole(w.last.partition),
    last_offset: whole(w.last.offset),
  }
}

/**
 * Digits of quotients and roots. The smallest quotient, a vwap, is one unit of a product (10^-2·decimals) divided by a
 * volume of 10^15 in each of 10^12 messages: at least 21 of its digits remain.
 */
function roundedScale(decimals: number): number {
  return 48 + 2 * decimals
}

function whole(value: number): ExpectedValue {
  return { value: BigInt(value), scale: 0 }
}

function quotient(a: ExpectedValue, b: ExpectedValue, scale: number): ExpectedValue {
  const value = (a.value * 10n ** BigInt(scale + b.scale - a.scale)) / b.value
  return { value, scale, isRounded: true }
}

/** Of a number that is not negative. */
function root(of: ExpectedValue, scale: number): ExpectedValue {
  return { value: integerRoot(of.value * 10n ** BigInt(2 * scale - of.scale)), scale }
}

/** The largest integer whose square is not above: Newton's method, from above. */
export function integerRoot(value: bigint): bigint {
  if (value === 0n) return 0n
  let guess = 1n << BigInt(Math.ceil(value.toString(2).length / 2))
  for (;;) {
    const next = (guess + value / guess) / 2n
    if (next >= guess) return guess
    guess = next
  }
}

/** Whether a column's text, as PostgreSQL writes it, is the value. */
export function isAsExpected(text: string | null, expected: ExpectedValue | null): boolean {
  if (text === null || expected === null) return text === null && expected === null
  const match = /^(-?\d+)(?:\.(\d+))?$/.exec(text)
  if (!match) return false
  const [, integer = '', fraction = ''] = match
  // Both at the finer of the two scales.
  const scale = Math.max(fraction.length, expected.scale)
  const table = BigInt(integer + fraction) * 10n ** BigInt(scale - fraction.length)
  const raise = 10n ** BigInt(scale - expected.scale)
  const value = expected.value * raise
  if (expected.upTo !== undefined) return table >= value && table <= expected.upTo * raise
  if (!expected.isRounded) return table === value
  return magnitude(table - value) * 10n ** 12n <= magnitude(value)
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value
}

/** The text for a report: instants in ISO 8601, numbers without trailing zeros, rounded ones with at most 20 significant decimal places. */
export function expectedText(column: ComparedColumn, expected: ExpectedValue | null): string | null {
  if (expected === null) return null
  if (isInstant(column)) return isoInstant(Number(expected.value))
  const { value, scale, upTo, isRounded } = expected
  if (upTo !== undefined && upTo !== value) return `${value} to ${upTo}`
  const digits = magnitude(value)
    .toString()
    .padStart(scale + 1, '0')
  const integer = digits.slice(0, digits.length - scale)
  const decimals = digits.slice(digits.length - scale)
  const leadingZeros = integer === '0' ? decimals.length - decimals.replace(/^0+/, '').length : 0
  const fraction = decimals.slice(0, isRounded ? leadingZeros + 20 : scale).replace(/0+$/, '')
  return `${value < 0n ? '-' : ''}${integer}${fraction === '' ? '' : `.${fraction}`}`
}

/** A stored column's text for a report. */
export function tableText(column: ComparedColumn, text: string | null): string | null {
  return text !== null && isInstant(column) ? isoInstant(Number(text)) : text
}

function isInstant(column: ComparedColumn): boolean {
  return windowColumns[column].type === 'instant'
}
