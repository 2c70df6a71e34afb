import { epochDay, parseTimestamp } from '../../kpi/timestamp.ts'
import type { FieldText } from './price-line.ts'

/** How a file tells the time. */
export type TimestampKind = 'RFC 3339' | 'RFC 3339 without an offset' | 'dates' | EpochUnit
export type EpochUnit = 'epoch seconds' | 'epoch milliseconds' | 'epoch microseconds' | 'epoch nanoseconds'

/** By the number of digits: those of seconds last until 5138, and milliseconds begin in 1973. */
const epochUnits: readonly { unit: EpochUnit; maxDigits: number; digitsPerSecond: number }[] = [
  { unit: 'epoch seconds', maxDigits: 11, digitsPerSecond: 0 },
  { unit: 'epoch milliseconds', maxDigits: 14, digitsPerSecond: 3 },
  { unit: 'epoch microseconds', maxDigits: 17, digitsPerSecond: 6 },
  { unit: 'epoch nanoseconds', maxDigits: 20, digitsPerSecond: 9 },
]
const epoch = /^(\d{1,20})(?:\.(\d*))?$/
const date = /^\d{4}-\d\d-\d\d$/

const usPerSecond = 1_000_000
const usPerDay = 86_400 * usPerSecond
/** `2026-02-14T14:30:05` */
const plainBytes = 19
const zero = 0x30

/**
 * Reads timestamps of many kinds, and says how each is to be written in a message: as it stands where it is RFC 3339 or
 * milliseconds, else as RFC 3339 with all its digits. One instance serves one file: it remembers the day it is at.
 */
export class TimestampReader {
  kind: TimestampKind = 'RFC 3339'
  /** Microseconds since 1970. */
  us = 0
  /** How to write it, as JSON. Where it is empty the text itself goes between quotes, with `ending` behind it. */
  json = ''
  ending: '' | 'Z' | 'T00:00:00Z' = ''
  readonly #day = Buffer.alloc('2026-02-14'.length)
  #dayUs = Number.NaN

  /** Whether a message may hold the timestamp as it stands in the file. */
  get isMessageForm(): boolean {
    return this.json === '' ? this.ending !== 'T00:00:00Z' : !this.json.startsWith('"')
  }

  /** @returns false for a text that tells no time. */
  read(text: FieldText): boolean {
    this.json = ''
    this.ending = ''
    return this.#readPlain(text) || this.#readOther(text.toString())
  }

  /** The usual form, digit by digit: `2026-02-14T14:30:05.250Z`, or without the Z. */
  #readPlain({ bytes, start, end }: FieldText): boolean {
    if (end - start < plainBytes || !this.#readDay(bytes, start)) return false
    const separator = bytes[start + 10]
    if (separator !== 0x54 && separator !== 0x20) return false
    if (bytes[start + 13] !== 0x3a || bytes[start + 16] !== 0x3a) return false
    const hour = twoDigits(bytes, start + 11)
    const minute = twoDigits(bytes, start + 14)
    const second = twoDigits(bytes, start + 17)
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return false
    let at = start + plainBytes
    let fractionUs = 0
    if (bytes[at] === 0x2e && at + 1 < end) {
      at += 1
      for (let scale = usPerSecond / 10; at < end; at++) {
        const digit = (bytes[at] ?? 0) - zero
        if (digit < 0 || digit > 9) break
        if (scale >= 1) fractionUs += digit * scale
        scale /= 10
      }
      if (bytes[at - 1] === 0x2e) return false
    }
    const isNaive = at === end
    if (!isNaive && !(bytes[at] === 0x5a && at + 1 === end)) return false
    this.us = this.#dayUs + ((hour * 60 + minute) * 60 + second) * usPerSecond + fractionUs
    this.kind = isNaive ? 'RFC 3339 without an offset' : 'RFC 3339'
    this.ending = isNaive ? 'Z' : ''
    return true
  }

  /** Most lines are of the day of the line before. */
  #readDay(bytes: Buffer, start: number): boolean {
    const day = this.#day
    let same = 0
    while (same < day.length && day[same] === bytes[start + same]) same += 1
    if (same === day.length) return true
    const text = bytes.toString('latin1', start, start + day.length)
    if (!date.test(text)) return false
    const found = epochDay(Number(text.slice(0, 4)), Number(text.slice(5, 7)), Number(text.slice(8)))
    if (found === undefined || found < 0) return false
    day.write(text, 'latin1')
    this.#dayUs = found * usPerDay
    return true
  }

  #readOther(text: string): boolean {
    const match = epoch.exec(text)
    if (match) return this.#readEpoch(match[1] ?? '', match[2] ?? '')
    const isDate = date.test(text)
    const us = parseTimestamp(isDate ? `${text}T00:00:00Z` : text)
    if (us === undefined) return false
    this.us = us
    const isNaive = !isDate && !/([Zz]|[+-]\d\d:?\d\d)$/.test(text)
    this.kind = isDate ? 'dates' : isNaive ? 'RFC 3339 without an offset' : 'RFC 3339'
    this.ending = isDate ? 'T00:00:00Z' : isNaive ? 'Z' : ''
    return true
  }

  #readEpoch(whole: string, fraction: string): boolean {
    const found = epochUnits.find(({ maxDigits }) => whole.length <= maxDigits)
    if (!found) return false
    const { unit, digitsPerSecond } = found
    const padded = whole.padStart(digitsPerSecond + 1, '0')
    const secondDigits = padded.length - digitsPerSecond
    const seconds = Number(padded.slice(0, secondDigits))
    const rest = padded.slice(secondDigits) + fraction
    this.kind = unit
    this.us = seconds * usPerSecond + Number(rest.slice(0, 6).padEnd(6, '0'))
    this.json =
      unit === 'epoch milliseconds' && fraction === '' ? whole : `"${isoSeconds(seconds)}${rest && `.${rest}`}Z"`
    return true
  }
}

/** Writes instants as RFC 3339, to the microsecond where they have some; most are of the second of the one before. */
export class TimestampWriter {
  #second = Number.NaN
  #text = ''

  text(us: number): string {
    const second = Math.floor(us / usPerSecond)
    if (second !== this.#second) {
      this.#second = second
      this.#text = isoSeconds(second)
    }
    const rest = String(Math.floor(us - second * usPerSecond)).padStart(6, '0')
    return `${this.#text}.${rest.endsWith('000') ? rest.slice(0, 3) : rest}Z`
  }
}

function isoSeconds(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, plainBytes)
}

/** -1 when they are none. */
function twoDigits(bytes: Buffer, at: number): number {
  const tens = (bytes[at] ?? 0) - zero
  const ones = (bytes[at + 1] ?? 0) - zero
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1
}
