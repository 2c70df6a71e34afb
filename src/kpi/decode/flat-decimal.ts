import { powerOfTen } from './flat-text.ts'

/** Fractional digits of the fast path's numbers, whatever the setting `DECIMALS` says: more of them need bigints. */
export const flatDecimals = 8
/** Numbers of this magnitude, scaled by 10^8, and above are left to the full parser and its bigints. */
export const wideFrom = 2 ** 52
/** Scaled by 10^8: from here on, rounding changes a number by one ten-thousandth of its value at most (half a unit). */
const roundedFrom = 5000

/**
 * The numbers of the fast path: plain decimals. A ninth digit behind the point is rounded away where 8 digits are kept,
 * unless that changes the value too much to go unnoticed ({@link losesPrecision}); where more are kept, such a number is
 * left to the full parser. Zeros there change nothing.
 */
export class FlatDecimal {
  /** What was read last, scaled by 10^8: a field, since V8 would box a double that is returned; NaN keeps it a double. */
  scaled = Number.NaN
  /** Scaled by 10^8: at most 10^8 itself, where it was rounded up. */
  #scaledFraction = 0
  readonly #keepsMore: boolean

  /** @param decimals - Fractional digits that are kept, from 8. */
  constructor(decimals: number) {
    this.#keepsMore = decimals > flatDecimals
  }

  /**
   * Returns the position behind the number that begins at `start`, or {@link declined}. There are at most eight digits
   * before the point, so that the scaled number is exact or seen to be too wide.
   */
  read(view: DataView, start: number): number {
    let at = start
    let byte = view.getUint8(at)
    const isNegative = byte === minus
    if (isNegative) byte = view.getUint8(++at)
    const first = at
    const isZeroFirst = byte === zero
    let whole = 0
    while ((byte ^ zero) <= 9) {
      whole = (whole * 10 + (byte ^ zero)) | 0
      byte = view.getUint8(++at)
    }
    const digits = at - first
    if (digits === 0 || digits > 8 || (isZeroFirst && digits > 1)) return declined
    let scaled = whole * 1e8
    if (byte === point) {
      at = this.#fraction(view, at + 1, whole)
      scaled += this.#scaledFraction
    }
    if (scaled >= wideFrom) return declined
    this.scaled = isNegative ? 0 - scaled : scaled
    return at
  }

  #fraction(view: DataView, first: number, whole: number): number {
    const stop = first + 8
    let at = first
    let byte = view.getUint8(at)
    let fraction = 0
    while ((byte ^ zero) <= 9 && at < stop) {
      fraction = (fraction * 10 + (byte ^ zero)) | 0
      byte = view.getUint8(++at)
    }
    if (at === first) return declined
    if (at < stop) {
      this.#scaledFraction = (fraction * powerOfTen(stop - at)) | 0
      return at
    }
    this.#scaledFraction = fraction
    return (byte ^ zero) <= 9 ? this.#beyond(view, at, whole) : at
  }

  /** At the ninth digit behind the point: it and those that follow round the eight before, half-even. */
  #beyond(view: DataView, ninthAt: number, whole: number): number {
    const ninth = view.getUint8(ninthAt) ^ zero
    let at = ninthAt + 1
    let byte = view.getUint8(at)
    let later = 0
    while ((byte ^ zero) <= 9) {
      later |= byte ^ zero
      byte = view.getUint8(++at)
    }
    if ((ninth | later) === 0) return at
    const fraction = this.#scaledFraction
    if (this.#keepsMore || (whole === 0 && fraction < roundedFrom)) return declined
    const isUp = ninth > 5 || (ninth === 5 && (later | (fraction & 1)) !== 0)
    if (isUp) this.#scaledFraction = fraction + 1
    return at
  }
}

// Not imported, as in flat-scan.ts.
const declined = -1
const minus = 0x2d
const point = 0x2e
const zero = 0x30
