import { powerOfTen, skipDigits } from './flat-text.ts'
import { endOfTimeUs, epochDay } from './timestamp.ts'

/** The timestamps of the fast path: RFC 3339 in plain ASCII, or milliseconds. */
export class FlatTimestamp {
  /** What was read last, in microseconds since the epoch; NaN at first, so that V8 keeps a double. */
  us = Number.NaN
  /** The sixteen bytes `2026-02-14T14:30` read last, as four words, and when their minute begins (UTC). */
  #word0 = 0
  #word1 = 0
  #word2 = 0
  #word3 = 0
  #minuteUs = Number.NaN

  /** Returns the position behind the timestamp that begins at `start`, or {@link declined}. */
  read(view: DataView, start: number, end: number): number {
    if (view.getUint8(start) !== quote) return this.#milliseconds(view, start)
    // The shortest is "2026-02-14T14:30:05" in quotes, and a brace behind it.
    if (start + 22 > end || view.getUint8(start + 17) !== colon) return declined
    if (!this.#isSameMinute(view, start + 1) && !this.#readMinute(view, start + 1)) return declined
    const second = twoDigits(view, start + 18)
    if (second > 59) return declined
    this.us = this.#minuteUs + second * 1e6
    let at = start + 20
    let byte = view.getUint8(at)
    if (byte === point) {
      const stop = at + 7
      let fraction = 0
      byte = view.getUint8(++at)
      if ((byte ^ zero) > 9) return declined
      while ((byte ^ zero) <= 9 && at < stop) {
        fraction = (fraction * 10 + (byte ^ zero)) | 0
        byte = view.getUint8(++at)
      }
      this.us += fraction * powerOfTen(stop - at)
      at = skipDigits(view, at)
    }
    at = this.#zone(view, at, end)
    const us = this.us
    return at !== declined && view.getUint8(at) === quote && us >= 0 && us < endOfTimeUs ? at + 1 : declined
  }

  #isSameMinute(view: DataView, at: number): boolean {
    return (
      view.getInt32(at, true) === this.#word0 &&
      view.getInt32(at + 4, true) === this.#word1 &&
      view.getInt32(at + 8, true) === this.#word2 &&
      view.getInt32(at + 12, true) === this.#word3
    )
  }

  #readMinute(view: DataView, at: number): boolean {
    const minuteUs = minuteAt(view, at)
    if (minuteUs === undefined) return false
    this.#minuteUs = minuteUs
    this.#word0 = view.getInt32(at, true)
    this.#word1 = view.getInt32(at + 4, true)
    this.#word2 = view.getInt32(at + 8, true)
    this.#word3 = view.getInt32(at + 12, true)
    return true
  }

  /** `Z`, a numeric offset, or nothing, which means UTC too. */
  #zone(view: DataView, at: number, end: number): number {
    const sign = view.getUint8(at)
    if (sign === letterZ || sign === smallLetterZ) return at + 1
    if (sign !== plus && sign !== minus) return at
    // The shortest is +0530, and a quote and a brace behind it.
    if (at + 7 > end) return declined
    const minutesAt = view.getUint8(at + 3) === colon ? at + 4 : at + 3
    const hours = twoDigits(view, at + 1)
    const minutes = twoDigits(view, minutesAt)
    if (hours > 23 || minutes > 59) return declined
    const offsetUs = (hours * 60 + minutes) * 60e6
    this.us += sign === plus ? -offsetUs : offsetUs
    return minutesAt + 2
  }

  /** Up to 13 digits; all that an instant before 2255 needs. */
  #milliseconds(view: DataView, first: number): number {
    let at = first
    let ms = 0
    for (let digit = view.getUint8(at) ^ zero; digit <= 9; digit = view.getUint8(++at) ^ zero) ms = ms * 10 + digit
    const digits = at - first
    if (digits === 0 || digits > 13 || (digits > 1 && view.getUint8(first) === zero)) return declined
    const us = ms * 1000
    this.us = us
    return us < endOfTimeUs ? at : declined
  }
}

/** When the minute `2026-02-14T14:30` begins, or undefined. */
function minuteAt(view: DataView, at: number): number | undefined {
  const separator = view.getUint8(at + 10)
  const isDateTime =
    view.getUint8(at + 4) === minus &&
    view.getUint8(at + 7) === minus &&
    (separator === letterT || separator === smallLetterT || separator === space) &&
    view.getUint8(at + 13) === colon
  const year = twoDigits(view, at) * 100 + twoDigits(view, at + 2)
  const hour = twoDigits(view, at + 11)
  const minute = twoDigits(view, at + 14)
  if (!isDateTime || year > 9999 || hour > 23 || minute > 59) return undefined
  const day = epochDay(year, twoDigits(view, at + 5), twoDigits(view, at + 8))
  return day === undefined ? undefined : ((day * 24 + hour) * 60 + minute) * 60e6
}

/** A number of two digits; one too large for any field where they are none. */
function twoDigits(view: DataView, at: number): number {
  const tens = view.getUint8(at) ^ zero
  const ones = view.getUint8(at + 1) ^ zero
  return tens <= 9 && ones <= 9 ? tens * 10 + ones : 10_000
}

// Not imported, as in flat-scan.ts.
const declined = -1
const colon = 0x3a
const quote = 0x22
const minus = 0x2d
const plus = 0x2b
const point = 0x2e
const zero = 0x30
const space = 0x20
const letterT = 0x54
const smallLetterT = 0x74
const letterZ = 0x5a
const smallLetterZ = 0x7a
