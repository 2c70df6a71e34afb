/** From here on a double no longer holds every microsecond; this is 5 June 2255 (docs/decisions/0004). */
export const endOfTimeUs = 2 ** 53

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):?(\d\d))?$/
const daysOfMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/**
 * Reads an RFC 3339 date-time; a space may replace the T, and a text without an offset is UTC. Fractions of a second
 * are cut off after the microsecond.
 *
 * @returns microseconds since the epoch, never negative: exact below {@link endOfTimeUs}, and not below it when the
 *   instant is not. undefined when the text is no such date-time, or one before 1970.
 */
export function parseTimestamp(text: string): number | undefined {
  const match = rfc3339.exec(text)
  if (!match) return undefined
  const hour = Number(match[4])
  const minute = Number(match[5])
  const second = Number(match[6])
  const days = epochDay(Number(match[1]), Number(match[2]), Number(match[3]))
  if (days === undefined || hour > 23 || minute > 59 || second > 59) return undefined
  const offsetHours = Number(match[9] ?? 0)
  const offsetMinutes = Number(match[10] ?? 0)
  if (offsetHours > 23 || offsetMinutes > 59) return undefined
  const east = (offsetHours * 60 + offsetMinutes) * (match[8] === '-' ? -1 : 1)
  const seconds = ((days * 24 + hour) * 60 + minute - east) * 60 + second
  const us = seconds * 1e6 + Number((match[7] ?? '').slice(0, 6).padEnd(6, '0'))
  return us < 0 ? undefined : us
}

/**
 * Days since 1 January 1970 of a day in the Gregorian calendar, or undefined when there is no such day.
 * The year begins in March here, so that the leap day is its last: Howard Hinnant's `days_from_civil`
 * (https://howardhinnant.github.io/date_algorithms.html).
 *
 * @param year 0 to 9999
 */
export function epochDay(year: number, month: number, day: number): number | undefined {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const days = month === 2 && isLeap ? 29 : daysOfMonth[month - 1]
  if (days === undefined || day < 1 || day > days) return undefined
  const marchYear = month > 2 ? year : year - 1
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400)
  return marchYear * 365 + leapDays + dayOfYear - daysBeforeEpoch
}

/** From 1 March of the year 0 to 1 January 1970. */
const daysBeforeEpoch = 719_468

/**
 * Reads milliseconds since the epoch: digits alone, no sign, fraction or exponent, at most 17 of them.
 *
 * @returns microseconds since the epoch, as {@link parseTimestamp} does.
 */
export function parseEpochMs(text: string): number | undefined {
  return /^\d{1,17}$/.test(text) ? Number(text) * 1000 : undefined
}
