import { readCompact } from './civil-time.ts'
import type { TimeFormat } from './time-format.ts'
import type { TimePattern } from './time-pattern.ts'

/** Advice for the user about a timestamp that was rejected, for the log. */

const longest = 40

function quoted(text: string): string {
  const plain = text.replace(/[^\x20-\x7e]/g, '?')
  return `'${plain.length > longest ? `${plain.slice(0, longest)}…` : plain}'`
}

export function unknownForm(text: string): string {
  const place = `its timestamp ${quoted(text)}`
  const slashes = /^(\d{1,2})([/.-])(\d{1,2})\2(\d{2,4})(?=$|[T ,])(.*)$/.exec(text)
  if (slashes) {
    const [, first = '', separator = '', second = '', year = '', rest = ''] = slashes
    const clock = clockPattern(rest)
    const month = first.length === 1 || second.length === 1 ? 'M' : 'MM'
    const day = month === 'M' ? 'd' : 'dd'
    const years = 'yyyy'.slice(0, year.length)
    const monthFirst = [month, day, years].join(separator) + clock
    const dayFirst = [day, month, years].join(separator) + clock
    return `${place} may begin with the month or with the day: say which with --time-format '${monthFirst}' or '${dayFirst}'`
  }
  if (/^\d{1,2}:\d\d/.test(text)) {
    return `${place} is a time of day without a date: name both columns with --map timestamp=DATE+TIME`
  }
  return `${place} is neither a date and time in a known form nor time since 1970: describe it with --time-format, such as 'dd-MMM-yyyy HH:mm:ss'`
}

/** The part of a pattern for the time of day after a date. */
function clockPattern(text: string): string {
  const [, separator = '', hour = '', seconds = '', fraction = '', half = ''] =
    /^([T ,]+)(\d{1,2}):\d\d(:\d\d)?(\.\d+)?( ?[AaPp][Mm])?$/.exec(text) ?? []
  if (hour === '') return ''
  const letter = half === '' ? 'H' : 'h'
  const parts = [separator, hour.length === 1 ? letter : letter + letter, ':mm', seconds && ':ss']
  if (fraction !== '') parts.push(`.${'S'.repeat(Math.min(9, fraction.length - 1))}`)
  return parts.join('') + (half === '' ? '' : half.startsWith(' ') ? ' a' : 'a')
}

export function notOfPattern(text: string, pattern: TimePattern): string {
  return `its timestamp ${quoted(text)} is not of the form --time-format '${pattern.text}'`
}

export function noNumber(text: string, format: TimeFormat): string {
  const wanted = format.kind === 'excel' ? 'spreadsheet days' : format.kind === 'epoch' ? format.unit : '.NET ticks'
  return `its timestamp ${quoted(text)} is no number of ${wanted}, as --time-format says`
}

export function noCompactDate(text: string): string {
  return `its timestamp ${quoted(text)} is no date as those at the beginning of the file are; --time-format describes it otherwise`
}

export function beforeFirstEpoch(text: string): string {
  return `its timestamp ${quoted(text)} would be before 1980 as time since 1970: say what it is with --time-format epoch-s, epoch-ms, epoch-us, epoch-ns, excel, dotnet-ticks or a pattern such as 'yyyyMMdd'`
}

export function likeTicks(text: string): string {
  return `its timestamp ${quoted(text)} may be .NET ticks or nanoseconds since 1970: say which with --time-format dotnet-ticks or epoch-ns`
}

/**
 * Whether the digits are a date and time with milliseconds. Read as a number, they would be microseconds in the year
 * 2600.
 */
export function isCompactWithFraction(digits: string): boolean {
  return digits.length === 17 && readCompact(digits.slice(0, 14)) !== undefined
}

export function compactWithFraction(text: string): string {
  return `its timestamp ${quoted(text)} may be a date and time with milliseconds: read it with --time-format yyyyMMddHHmmssSSS, or with epoch-us`
}

export function noDate(text: string): string {
  const known = unknownForm(text)
  if (known.includes("--time-format '")) return known
  return `its date ${quoted(text)} is no date in a known form: describe it with --time-format, such as 'dd-MMM-yyyy'`
}

export function noClock(text: string): string {
  if (text === '') return 'no time of day'
  return `its time of day ${quoted(text)} is none of HH:MM, HH:MM:SS, HHMM and HHMMSS: describe date and time together with --time-format, such as 'yyyy-MM-dd h:mm a'`
}

export function epochWithClock(text: string): string {
  return `its timestamp ${quoted(text)} is a number, so it needs no time of day: name its column alone with --map timestamp=COLUMN`
}

export function outOfRange(text: string, isEarly: boolean): string {
  return `its timestamp ${quoted(text)} is ${isEarly ? 'before 1970' : 'after the year 9999'} (bad_timestamp)`
}
