import { assert } from '../errors.ts'
import { nearest } from './nearest.ts'
import { fitsPattern } from './symbol-pattern.ts'
import {
  instantAt,
  isDay,
  isTimeZone,
  type LocalDay,
  localDay,
  nearestTimeZone,
  nextDay,
  previousDay,
  weekdayOf,
} from './zoned-time.ts'

/** When prices are expected for the symbols that match a pattern. */
export interface MarketHours {
  readonly pattern: string
  /** `always`, or the sessions of a week in the market's local time. */
  readonly week: 'always' | MarketWeek
}

export interface MarketWeek {
  /** An IANA time zone, such as `America/New_York`. */
  readonly zone: string
  /** By weekday, Sunday first. */
  readonly days: readonly (readonly Session[])[]
  /** Days (`YYYY-MM-DD`) on which no session begins. */
  readonly holidays: ReadonlySet<string>
  /** Days on which trading ends early: minutes since midnight. */
  readonly earlyCloses: ReadonlyMap<string, number>
}

/** Minutes since midnight in local time. A session whose end is not after its start ends on the next day. */
export interface Session {
  readonly from: number
  readonly to: number
}

/** The first pattern that matches a symbol applies. A symbol that matches none is always open. */
export type TradingHours = readonly MarketHours[]

/** Since when a market has been open: −∞ if it never closes; undefined while it is closed. */
export function openSinceMs(hours: TradingHours, symbol: string, atMs: number): number | undefined {
  const market = hours.find(({ pattern }) => fitsPattern(pattern, symbol))
  if (!market || market.week === 'always') return Number.NEGATIVE_INFINITY
  return sessionStartMs(market.week, atMs)
}

/**
 * The same for several symbols: the earliest time at which one of the open markets opened. Without symbols, for all
 * markets.
 */
export function anyOpenSinceMs(hours: TradingHours, symbols: readonly string[], atMs: number): number | undefined {
  const starts =
    symbols.length > 0
      ? symbols.map((symbol) => openSinceMs(hours, symbol, atMs))
      : hours.map(({ week }) => (week === 'always' ? Number.NEGATIVE_INFINITY : sessionStartMs(week, atMs)))
  const open = starts.filter((start) => start !== undefined)
  return open.length === 0 ? undefined : Math.min(...open)
}

function sessionStartMs(week: MarketWeek, atMs: number): number | undefined {
  const today = localDay(week.zone, atMs)
  // A session of yesterday may end after midnight.
  for (const day of [today, previousDay(today)]) {
    for (const session of sessionsOf(week, day)) {
      const startMs = instantAt(week.zone, day, session.from)
      if (startMs <= atMs && atMs < endMs(week, day, session)) return startMs
    }
  }
  return undefined
}

function endMs({ zone, earlyCloses }: MarketWeek, day: LocalDay, { from, to }: Session): number {
  const endDay = to > from ? day : nextDay(day)
  const early = earlyCloses.get(endDay)
  return instantAt(zone, endDay, early === undefined ? to : Math.min(early, to))
}

/**
 * On a day with an early close, sessions that begin after it do not take place. A session that ends on the next day
 * does: it belongs to the next trading day.
 */
function sessionsOf({ days, holidays, earlyCloses }: MarketWeek, day: LocalDay): readonly Session[] {
  if (holidays.has(day)) return []
  const early = earlyCloses.get(day)
  const sessions = days[weekdayOf(day)] ?? []
  return early === undefined ? sessions : sessions.filter(({ from, to }) => from < early || to <= from)
}

/**
 * Parses `AAPL=America/New_York Mon-Fri 09:30-16:00 !2026-12-25 !2026-11-27@13:00, BTC/*=always`.
 *
 * An entry has a time zone, then days (`Mon-Fri`, `Mon,Wed`) and their sessions, repeated as needed (`Mon-Thu
 * 09:00-11:30 12:30-15:00 Fri 09:00-11:30`), then holidays and early closes.
 */
export function parseTradingHours(text: string): TradingHours {
  const parsed = readTradingHours(text)
  assert(typeof parsed !== 'string', `checked when the settings were read: ${parsed}`)
  return parsed
}

/** What is wrong with the text; undefined if it is valid. */
export function tradingHoursProblem(text: string): string | undefined {
  const parsed = readTradingHours(text)
  return typeof parsed === 'string' ? parsed : undefined
}

function readTradingHours(text: string): TradingHours | string {
  const markets: MarketHours[] = []
  for (const [head, ...words] of entriesOf(text)) {
    // Split at the last '=', because symbols such as EURUSD=X contain one.
    const equals = head.lastIndexOf('=')
    if (equals <= 0) return `'${[head, ...words].join(' ')}' does not begin with PATTERN=ZONE`
    const [pattern, zone] = [head.slice(0, equals), head.slice(equals + 1)]
    const week = zone === 'always' && words.length === 0 ? 'always' : readWeek(zone, words)
    if (typeof week === 'string' && week !== 'always') return week
    markets.push({ pattern, week })
  }
  return markets
}

/**
 * The words of each entry. Commas separate entries as well as days: a part without '=' continues the entry before it.
 */
function entriesOf(text: string): [string, ...string[]][] {
  const entries: [string, ...string[]][] = []
  for (const part of text.split(',')) {
    const [head = '', ...words] = part.trim().split(/\s+/)
    const last = entries.at(-1)
    if (last && head !== '' && !head.includes('=')) last.push(head, ...words)
    else entries.push([head, ...words])
  }
  return entries
}

/** A week while it is being parsed. */
interface Draft {
  readonly days: Session[][]
  readonly holidays: Set<string>
  readonly earlyCloses: Map<string, number>
  /** The days that the next sessions apply to. */
  chosen: readonly number[]
  /** Whether the previous word named days. */
  isChoosing: boolean
}

function readWeek(zone: string, words: readonly string[]): MarketWeek | string {
  if (!isTimeZone(zone)) return `'${zone}' is no time zone${meant(nearestTimeZone(zone))}`
  const draft: Draft = {
    days: Array.from({ length: 7 }, () => []),
    holidays: new Set(),
    earlyCloses: new Map(),
    chosen: [],
    isChoosing: false,
  }
  for (const word of words) {
    const problem = word.startsWith('!') ? readException(draft, word) : readWord(draft, word)
    if (problem !== undefined) return problem
  }
  const { days, holidays, earlyCloses } = draft
  if (draft.isChoosing || days.every((sessions) => sessions.length === 0)) return `'${zone}' lacks a session`
  return { zone, days, holidays, earlyCloses }
}

/** Reads `!2026-12-25` or `!2026-11-27@13:00`. @returns What is wrong with it. */
function readException(draft: Draft, word: string): string | undefined {
  const [day = '', close, ...rest] = word.slice(1).split('@')
  if (!isDay(day)) return `'${word}': '${day}' is no day of the calendar, as YYYY-MM-DD`
  if (close === undefined) {
    draft.holidays.add(day)
    return undefined
  }
  const minutes = readMinutes(close)
  if (minutes === undefined || rest.length > 0) return `'${word}': '${close}' is no time from 00:00 to 24:00`
  draft.earlyCloses.set(day, minutes)
  return undefined
}

/** Reads days, or a session for the days before it. @returns What is wrong with it. */
function readWord(draft: Draft, word: string): string | undefined {
  const more = readDays(word)
  if (more) {
    draft.chosen = draft.isChoosing ? [...draft.chosen, ...more] : more
    draft.isChoosing = true
    return undefined
  }
  const session = readSession(word)
  if (session === undefined) return wordProblem(word)
  if (draft.chosen.length === 0) return `'${word}' is neither days nor a session after its days`
  for (const day of draft.chosen) draft.days[day]?.push(session)
  draft.isChoosing = false
  return undefined
}

function wordProblem(word: string): string {
  if (/^\d/.test(word)) return `'${word}' is neither days nor a session, HH:MM-HH:MM from 00:00 to 24:00`
  const wrong = word.split('-').find((name) => !weekdays.includes(name))
  if (wrong === undefined || !/^[a-z]+$/i.test(wrong)) return `'${word}' is neither days, a session, nor a holiday`
  return `'${word}': '${wrong}' is no weekday${meant(nearest(wrong, weekdays), ` (${weekdays.join(', ')})`)}`
}

function meant(near: string | undefined, otherwise = ''): string {
  return near === undefined ? otherwise : `, did you mean '${near}'?`
}

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']

/** Reads `Mon` or `Mon-Fri`. A range may continue past the end of the week. */
function readDays(word: string): number[] | undefined {
  const [from, to, ...rest] = word.split('-').map((name) => weekdays.indexOf(name))
  if (from === undefined || from < 0 || to === -1 || rest.length > 0) return undefined
  const length = to === undefined ? 1 : ((to - from + 7) % 7) + 1
  return Array.from({ length }, (_, index) => (from + index) % 7)
}

function readSession(word: string): Session | undefined {
  const [, from, to] = /^(\d\d:\d\d)-(\d\d:\d\d)$/.exec(word) ?? []
  const [start, end] = [readMinutes(from), readMinutes(to)]
  if (start === undefined || end === undefined || start === 24 * 60) return undefined
  return { from: start, to: end }
}

function readMinutes(text = ''): number | undefined {
  const [, hours = 99, minutes = 99] = (/^(\d\d):(\d\d)$/.exec(text) ?? []).map(Number)
  const total = hours * 60 + minutes
  return minutes < 60 && total <= 24 * 60 ? total : undefined
}
