import { epochDay } from '../../../kpi/decode/timestamp.ts'
import type { FieldText } from '../price-line.ts'
import { type CivilTime, join, readClock, readCompact, readDateTime } from './civil-time.ts'
import { type EpochUnit, plainDigits, readEpoch } from './epoch-text.ts'
import { TimestampWriter } from './iso-text.ts'
import { readExcelDays, readTicks } from './serial-time.ts'
import type { TimeFormat } from './time-format.ts'
import * as hint from './time-hints.ts'
import type { TimeZone } from './time-zone.ts'

/** How a file writes timestamps. */
export type TimestampKind = 'RFC 3339' | 'dates and times' | 'dates' | 'spreadsheet days' | '.NET ticks' | EpochUnit

export interface TimestampOptions {
  /** The format that the user gave; undefined to detect it. */
  readonly format?: TimeFormat | undefined
  /** The zone of times without an offset; undefined means UTC. */
  readonly zone?: TimeZone | undefined
  /** Whether digits that form a date are read as one; decided from the beginning of the file. */
  readonly isCompact?: boolean
  /** The timestamps are the ends of bars, which last this many seconds. */
  readonly barSeconds?: number | undefined
  /** The decimal separator of numbers. */
  readonly decimal?: '.' | ','
}

const date = /^\d{4}-\d\d-\d\d$/
const usPerSecond = 1_000_000
const usPerDay = 86_400 * usPerSecond
/** 1980-01-01, in seconds. A smaller number is a date, days or ticks, not time since 1970. */
const firstEpochSecond = 315_532_800
/** .NET ticks of 1980 to 2100, which are also nanoseconds of 1989 and 1990. */
const ticksLike = { from: 624_511_296e9, to: 662_380_416e9 }
const lastSecond = 253_402_300_799
/** `2026-02-14T14:30:05` */
const plainBytes = 19
const zero = 0x30
const usualMsDigits = 13

/**
 * Reads timestamps of many kinds, and decides how each is written in a message: unchanged if it is RFC 3339 or
 * milliseconds, otherwise as RFC 3339 with all its digits. An instance serves one file, because it caches the current
 * day.
 */
export class TimestampReader {
  kind: TimestampKind = 'RFC 3339'
  /** Microseconds since 1970. */
  us = 0
  /** The JSON text to write. If it is empty, the original text is written in quotes, followed by `ending`. */
  json = ''
  ending: '' | 'Z' | 'T00:00:00Z' = ''
  /** Whether the original text is written as a number. */
  isNumber = false
  /** Whether the text has no offset, so that the time zone decides. */
  isLocal = false
  /** Why `read` returned false. */
  problem = ''
  readonly #options: TimestampOptions
  /** Whether RFC 3339 without an offset can be sent unchanged. */
  readonly #isPlain: boolean
  readonly #day = Buffer.alloc('2026-02-14'.length)
  readonly #iso = new TimestampWriter()
  #dayUs = Number.NaN

  constructor(options: TimestampOptions = {}) {
    this.#options = options
    this.#isPlain = !options.format && !options.zone && !options.barSeconds
  }

  /** Whether a message may contain the timestamp unchanged. */
  get isMessageForm(): boolean {
    return this.json === '' ? this.ending !== 'T00:00:00Z' : false
  }

  /** How often the last local time occurs in its zone. */
  get localCase(): 'once' | 'twice' | 'never' {
    return this.isLocal ? (this.#options.zone?.lastCase ?? 'once') : 'once'
  }

  /**
   * @param clock - The time of day, if the file has it in a column of its own.
   * @returns false if the text is not a time; `problem` says why.
   */
  read(text: FieldText, clock?: FieldText): boolean {
    this.json = ''
    this.ending = ''
    this.isNumber = false
    this.isLocal = false
    if (clock) return this.#readJoined(text.toString(), clock.toString())
    return (this.#isPlain && (this.#readPlain(text) || this.#readMs(text))) || this.#readOther(text.toString())
  }

  /** Reads the usual form digit by digit: `2026-02-14T14:30:05.250Z`, or without the Z. */
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
    this.isLocal = at === end
    if (!this.isLocal && !(bytes[at] === 0x5a && at + 1 === end)) return false
    this.us = this.#dayUs + ((hour * 60 + minute) * 60 + second) * usPerSecond + fractionUs
    this.kind = 'RFC 3339'
    this.ending = this.isLocal ? 'Z' : ''
    return true
  }

  /** Milliseconds since 1970 in thirteen digits: those of 2001 to 2286. */
  #readMs({ bytes, start, end }: FieldText): boolean {
    if (end - start !== usualMsDigits || bytes[start] === zero) return false
    let ms = 0
    for (let at = start; at < end; at++) {
      const digit = (bytes[at] ?? 0) - zero
      if (digit < 0 || digit > 9) return false
      ms = ms * 10 + digit
    }
    this.us = ms * 1000
    this.kind = 'epoch milliseconds'
    this.isNumber = true
    return true
  }

  /** Most lines have the same day as the line before. */
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
    const { format } = this.#options
    this.isLocal = false
    if (format?.kind === 'pattern') {
      const { pattern } = format
      return this.#take(text, pattern.read(text), () => hint.notOfPattern(text, pattern))
    }
    if (format) return this.#readNumber(text) || this.#refuse(this.problem || hint.noNumber(text, format))
    if (this.#options.isCompact && /^\d+$/.test(text)) {
      return this.#take(text, readCompact(text), () => hint.noCompactDate(text))
    }
    const civil = readDateTime(text)
    if (civil) return this.#take(text, civil, () => '')
    return this.#readNumber(text) || this.#refuse(this.problem || hint.unknownForm(text))
  }

  /** Joins a date and a time of day from two columns. */
  #readJoined(dayText: string, clockText: string): boolean {
    const { format } = this.#options
    if (format?.kind === 'pattern' && format.pattern.hasClock) return this.#readOther(`${dayText} ${clockText}`)
    const day = this.#dayOf(dayText)
    if (typeof day === 'string') return this.#refuse(day)
    const clock = readClock(clockText)
    if (!clock) return this.#refuse(hint.noClock(clockText))
    return this.#take('', join(day, clock), () => '')
  }

  #dayOf(text: string): CivilTime | string {
    const { format, isCompact } = this.#options
    if (format?.kind === 'epoch' || format?.kind === 'dotnet-ticks') return hint.epochWithClock(text)
    if (format?.kind === 'excel') {
      const day = readExcelDays(this.#decimalPoint(text))
      return day && day.seconds % 86_400 === 0 ? day : hint.noNumber(text, format)
    }
    const found = format
      ? format.pattern.read(text)
      : (readDateTime(text) ?? (isCompact ? readCompact(text) : undefined) ?? midnightDay(text))
    if (!found) return format ? hint.notOfPattern(text, format.pattern) : hint.noDate(text)
    return found.isDay ? found : (midnightDay(text) ?? hint.noDate(text))
  }

  #readNumber(text: string): boolean {
    const { format } = this.#options
    this.problem = ''
    const number = this.#decimalPoint(text)
    if (format?.kind === 'excel')
      return this.#take(text, readExcelDays(number), () => hint.noNumber(text, format), 'spreadsheet days')
    if (format?.kind === 'dotnet-ticks')
      return this.#take(text, readTicks(number), () => hint.noNumber(text, format), '.NET ticks')
    const digits = plainDigits(number)
    const epoch = digits && readEpoch(digits, format?.kind === 'epoch' ? format.unit : undefined)
    if (!digits || !epoch) return false
    const { unit, seconds, fraction } = epoch
    if (!format) {
      const value = Number(digits.whole)
      if (hint.isCompactWithFraction(digits.whole)) return this.#refuse(hint.compactWithFraction(text))
      if (seconds < firstEpochSecond) return this.#refuse(hint.beforeFirstEpoch(text))
      if (value >= ticksLike.from && value < ticksLike.to) return this.#refuse(hint.likeTicks(text))
    }
    this.kind = unit
    if (unit === 'epoch milliseconds' && fraction.length === 3 && !this.#options.barSeconds) {
      this.us = seconds * usPerSecond + Number(fraction) * 1000
      this.isNumber = digits.whole === text
      this.json = this.isNumber ? '' : digits.whole
      return this.#isInRange(text, seconds)
    }
    return this.#finish(text, seconds, fraction)
  }

  #take(text: string, civil: CivilTime | undefined, problem: () => string, kind?: TimestampKind): boolean {
    if (!civil) return this.#refuse(problem())
    const { seconds, fraction, offset, isDay } = civil
    const { zone } = this.#options
    this.isLocal = offset === undefined
    this.kind = kind ?? (isDay ? 'dates' : isRfc3339(text) ? 'RFC 3339' : 'dates and times')
    if (this.#isPlain && (this.kind === 'RFC 3339' || date.test(text))) {
      this.us = (seconds - (offset ?? 0)) * usPerSecond + Number(fraction.slice(0, 6).padEnd(6, '0'))
      this.ending = isDay ? 'T00:00:00Z' : this.isLocal ? 'Z' : ''
      return this.#isInRange(text, Math.floor(this.us / usPerSecond))
    }
    return this.#finish(text, offset === undefined ? (zone?.instantOf(seconds) ?? seconds) : seconds - offset, fraction)
  }

  #finish(text: string, start: number, fraction: string): boolean {
    const seconds = start - (this.#options.barSeconds ?? 0)
    if (!this.#isInRange(text, seconds)) return false
    this.us = seconds * usPerSecond + Number(fraction.slice(0, 6).padEnd(6, '0'))
    this.json = `"${this.#iso.seconds(seconds)}${fraction && `.${fraction}`}Z"`
    return true
  }

  #isInRange(text: string, seconds: number): boolean {
    return (seconds >= 0 && seconds <= lastSecond) || this.#refuse(hint.outOfRange(text, seconds < 0))
  }

  #decimalPoint(text: string): string {
    if (this.#options.decimal !== ',') return text
    return text.includes('.') ? '' : text.replace(',', '.')
  }

  #refuse(problem: string): false {
    this.problem = problem
    return false
  }
}

/** The day of a text such as `2024-02-14 00:00:00`, which spreadsheets write for a date. */
function midnightDay(text: string): CivilTime | undefined {
  const [, day = ''] = /^(.{8,10})[T ]00:00(?::00(?:\.0+)?)?$/.exec(text) ?? []
  const found = readDateTime(day) ?? readCompact(day)
  return found?.isDay ? found : undefined
}

/** Whether a message may contain it unchanged, or with a Z appended. */
function isRfc3339(text: string): boolean {
  return /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:?\d\d)?$/.test(text)
}

/** -1 if they are not two digits. */
function twoDigits(bytes: Buffer, at: number): number {
  const tens = (bytes[at] ?? 0) - zero
  const ones = (bytes[at + 1] ?? 0) - zero
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1
}
