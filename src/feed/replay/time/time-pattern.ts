import { KpiError } from '../../../errors.ts'
import { epochDay } from '../../../kpi/decode/timestamp.ts'
import type { CivilTime } from './civil-time.ts'

type Part =
  | 'year'
  | 'shortYear'
  | 'month'
  | 'monthName'
  | 'day'
  | 'hour'
  | 'hour12'
  | 'minute'
  | 'second'
  | 'fraction'
  | 'half'
  | 'offset'

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

/** The letters of a pattern, with the same meaning as in Java and Unicode (TR 35). */
const tokens: Readonly<Record<string, { readonly part: Part; readonly digits: string } | undefined>> = {
  yyyy: { part: 'year', digits: String.raw`\d{4}` },
  yy: { part: 'shortYear', digits: String.raw`\d\d` },
  MMM: { part: 'monthName', digits: '[A-Za-z]{3}' },
  MM: { part: 'month', digits: String.raw`\d\d` },
  M: { part: 'month', digits: String.raw`\d{1,2}` },
  dd: { part: 'day', digits: String.raw`\d\d` },
  d: { part: 'day', digits: String.raw`\d{1,2}` },
  HH: { part: 'hour', digits: String.raw`\d\d` },
  H: { part: 'hour', digits: String.raw`\d{1,2}` },
  hh: { part: 'hour12', digits: String.raw`\d\d` },
  h: { part: 'hour12', digits: String.raw`\d{1,2}` },
  mm: { part: 'minute', digits: String.raw`\d\d` },
  ss: { part: 'second', digits: String.raw`\d\d` },
  a: { part: 'half', digits: '[AaPp][Mm]' },
  XXX: { part: 'offset', digits: String.raw`[Zz]|[+-]\d\d:?\d\d` },
}
const secondsPerDay = 86_400
const known = 'yyyy MM dd HH mm ss SSS, also yy M d MMM H hh h a XXX'

/** Reads times in a form that the user described: `dd/MM/yyyy HH:mm`. */
export class TimePattern {
  readonly text: string
  /** Whether it has a time of day. Otherwise it reads dates. */
  readonly hasClock: boolean
  readonly #pattern: RegExp
  readonly #parts: readonly Part[]

  /** @throws KpiError `KPI_USAGE` if the pattern does not describe a date. */
  constructor(text: string) {
    const parts: Part[] = []
    const refuse = (why: string): never => {
      throw new KpiError('KPI_USAGE', `--time-format '${text}': ${why}; its elements are ${known}`)
    }
    const source = [...text.matchAll(/'([^']*)'|([A-Za-z])\2*|./gs)].map(([piece, quoted]) => {
      if (quoted !== undefined) return literal(quoted === '' ? "'" : quoted)
      const token = /^S{1,9}$/.test(piece) ? fractionOf(piece) : tokens[piece]
      if (!token)
        return /[A-Za-z]/.test(piece) && piece !== 'T' ? refuse(`'${piece}' is no part of a time`) : literal(piece)
      if (parts.includes(token.part)) refuse(`'${piece}' is there twice`)
      parts.push(token.part)
      return `(${token.digits})`
    })
    const has = (...names: Part[]) => names.some((name) => parts.includes(name))
    if (!has('year', 'shortYear') || !has('month', 'monthName') || !has('day'))
      refuse('a year, a month or a day is missing')
    if (has('hour12') !== has('half')) refuse("h needs an 'a' for AM or PM, and H none")
    this.text = text
    this.hasClock = has('hour', 'hour12')
    if (!this.hasClock && has('minute', 'second', 'fraction', 'offset')) refuse('an hour is missing')
    this.#parts = parts
    this.#pattern = new RegExp(`^${source.join('')}$`)
  }

  /** @returns undefined if the text does not match, or the time does not exist. */
  read(text: string): CivilTime | undefined {
    const match = this.#pattern.exec(text)
    if (!match) return undefined
    const values = new Map(this.#parts.map((part, index) => [part, match[index + 1] ?? '']))
    const get = (part: Part) => Number(values.get(part) ?? 0)
    const name = values.get('monthName')
    const month = name === undefined ? get('month') : months.indexOf(name.toLowerCase()) + 1
    const days = epochDay(yearOf(values), month, get('day'))
    const hour = hourOf(values)
    if (days === undefined || hour > 23 || get('minute') > 59 || get('second') > 59) return undefined
    return {
      seconds: days * secondsPerDay + (hour * 60 + get('minute')) * 60 + get('second'),
      fraction: values.get('fraction') ?? '',
      offset: offsetOf(values.get('offset')),
      isDay: !this.hasClock,
    }
  }
}

function yearOf(values: ReadonlyMap<Part, string>): number {
  const year = values.get('year')
  if (year !== undefined) return Number(year)
  const short = Number(values.get('shortYear'))
  // Two-digit years, as POSIX defines them.
  return short < 69 ? 2000 + short : 1900 + short
}

/** The hour from 0 to 23; 99 if a twelve-hour clock does not have it. */
function hourOf(values: ReadonlyMap<Part, string>): number {
  const half = values.get('half')
  if (half === undefined) return Number(values.get('hour') ?? 0)
  const hour = Number(values.get('hour12'))
  if (hour < 1 || hour > 12) return 99
  return (hour % 12) + (half.toLowerCase() === 'pm' ? 12 : 0)
}

function offsetOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (text.toLowerCase() === 'z') return 0
  const minutes = Number(text.slice(1, 3)) * 60 + Number(text.slice(-2))
  return minutes * 60 * (text.startsWith('-') ? -1 : 1)
}

function fractionOf(piece: string): { part: Part; digits: string } {
  return { part: 'fraction', digits: String.raw`\d{${piece.length}}` }
}

function literal(text: string): string {
  return text === ' ' ? ' +' : text.replace(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`)
}
