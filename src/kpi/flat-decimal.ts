import { powerOfTen } from './flat-text.ts'

/** Numbers of this magnitude, scaled by 10^8, and above are left to the full parser and its bigints. */
export const wideFrom = 2 ** 52

/** The numbers of the fast path: plain decimals. */
export class FlatDecimal {
  /** What was read last, scaled by 10^8: a field, since V8 would box a double that is returned; NaN keeps it a double. */
  scaled = Number.NaN
  /** Scaled by 10^8: at most 10^8 itself, where it was rounded up. */
  #scaledFraction = 0

  /**
   * Returns the position behind the number that begins at `start`, or {@link declined}. At most eight digits stand
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
      at = this.#fraction(view, at + 1)
      scaled += this.#scaledFraction
    }
    if (scaled >= wideFrom) return declined
    this.scaled = isNegative ? 0 - scaled : scaled
    return at
  }

  /** Eight digits behind the point count, rounded half-even by those that follow. */
  #fraction(view: DataView, first: number): number {
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
    const ninth = byte ^ zero
    if (ninth <= 9) {
      let later = fraction & 1
      byte = view.getUint8(++at)
      while ((byte ^ zero) <= 9) {
        later |= byte ^ zero
        byte = view.getUint8(++at)
      }
      if (ninth > 5 || (ninth === 5 && later !== 0)) fraction++
    }
    this.#scaledFraction = fraction
    return at
  }
}

// Not imported, as in flat-scan.ts.
const declined = -1
const minus = 0x2d
const point = 0x2e
const zero = 0x30
