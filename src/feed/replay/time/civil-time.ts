import { epochDay } from '../../../kpi/decode/timestamp.ts'

/** A date as written in a file, with or without a time of day. */
export interface CivilTime {
  /** Seconds since 1970-01-01 00:00:00 in the local time in which it was written. */
  readonly seconds: number
  /** All digits of the fraction of a second. */
  readonly fraction: string
  /** Offset east of UTC, in seconds; undefined if the text has none. */
  readonly offset: number | undefined
  /** Only a date; `seconds` is its midnight. */
  readonly isDay: boolean
}

/** A time of day. */
export interface ClockTime {
  readonly seconds: number
  readonly fraction: string
  readonly offset: number | undefined
}

const secondsPerDay = 86_400
const clockPattern = String.raw`(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?`
const zonePattern = String.raw`(?:([Zz])| ?([+-])(\d\d)(?::?(\d\d))?| +(?:UTC|GMT|utc|gmt)())?`
const dayPattern = String.raw`(?:(\d{4})([-./])(\d\d)\2(\d\d)|(\d\d)\.(\d\d)\.(\d{4}))`
const dateTime = new RegExp(`^${dayPattern}(?:(?:[Tt]| +)${clockPattern}${zonePattern})?$`)
const compactWithClock = new RegExp(String.raw`^(\d{8}) +(?:${clockPattern}|(\d\d)(\d\d)(\d\d)?)${zonePattern}$`)
const clockAlone = new RegExp(`^(?:${clockPattern}|(\\d\\d)(\\d\\d)(\\d\\d)?)${zonePattern}$`)
const compact = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?$/
/** Digits with a year outside this range are not taken as a date. */
const compactYears = { first: 1900, last: 2100 }

/**
 * Reads a date (`2024-02-14`, `2024.02.14`, `2024/02/14`, `14.02.2024`), alone or with a time of day and an offset, and
 * `20240214 143000`.
 *
 * @returns undefined for anything else, and for a day or an hour that does not exist.
 */
export function readDateTime(text: string): CivilTime | undefined {
  const match = dateTime.exec(text)
  if (!match) return readCompactWithClock(text)
  const days = epochDay(Number(match[1] ?? match[7]), Number(match[3] ?? match[6]), Number(match[4] ?? match[5]))
  if (days === undefined) return undefined
  const day = { seconds: days * secondsPerDay, fraction: '', offset: undefined, isDay: true }
  if (match[8] === undefined) return day
  return join(day, clockOf([match[8], match[9], match[10], match[11]], match.slice(12)))
}

/** Reads the digits of a date, or of a date and time: `20240214`, `202402141430`, `20240214143000`. */
export function readCompact(text: string): CivilTime | undefined {
  const match = compact.exec(text)
  if (!match) return undefined
  const year = Number(match[1])
  if (year < compactYears.first || year > compactYears.last) return undefined
  const days = epochDay(year, Number(match[2]), Number(match[3]))
  if (days === undefined) return undefined
  const day = { seconds: days * secondsPerDay, fraction: '', offset: undefined, isDay: true }
  return match[4] === undefined ? day : join(day, clockOf([match[4], match[5], match[6], undefined], []))
}

/** Reads a time of day: `14:30`, `14:30:05.250`, `1430`, `143005`, each with an optional offset. */
export function readClock(text: string): ClockTime | undefined {
  const match = clockAlone.exec(text)
  if (!match) return undefined
  const digits = match[1] === undefined ? match.slice(5, 8) : match.slice(1, 5)
  return clockOf([digits[0], digits[1], digits[2], digits[3]], match.slice(8))
}

/** Joins a date and a time of day that are separate in the file. */
export function join(day: CivilTime, clock: ClockTime | undefined): CivilTime | undefined {
  return clock && { ...clock, seconds: day.seconds + clock.seconds, isDay: false }
}

/** Whether it is a date, or the midnight at its beginning. Spreadsheets write either one for a day. */
export function isMidnight({ seconds, fraction }: CivilTime): boolean {
  return seconds % secondsPerDay === 0 && /^0*$/.test(fraction)
}

function readCompactWithClock(text: string): CivilTime | undefined {
  const match = compactWithClock.exec(text)
  if (!match) return undefined
  const day = readCompact(match[1] ?? '')
  const digits = match[2] === undefined ? match.slice(6, 9) : match.slice(2, 6)
  return day && join(day, clockOf([digits[0], digits[1], digits[2], digits[3]], match.slice(9)))
}

type ClockParts = readonly [string | undefined, string | undefined, string | undefined, string | undefined]

/** @param zone - The match groups of `zonePattern`. */
function clockOf(
  [hour, minute, second = '0', fraction = '']: ClockParts,
  zone: readonly (string | undefined)[],
): ClockTime | undefined {
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined
  const offset = offsetOf(zone)
  if (offset !== undefined && Number.isNaN(offset)) return undefined
  return { seconds: (Number(hour) * 60 + Number(minute)) * 60 + Number(second), fraction, offset }
}

/** The offset in seconds; NaN if it is not valid. */
function offsetOf([z, sign, hours, minutes = '0', utc]: readonly (string | undefined)[]): number | undefined {
  if (z !== undefined || utc !== undefined) return 0
  if (sign === undefined) return undefined
  if (Number(hours) > 23 || Number(minutes) > 59) return Number.NaN
  return (Number(hours) * 60 + Number(minutes)) * 60 * (sign === '-' ? -1 : 1)
}
