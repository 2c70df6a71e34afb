import { assert } from '../errors.ts'
import { fitsPattern } from './symbol-pattern.ts'
import { instantAt, isTimeZone, type LocalDay, localDay, nextDay, previousDay, weekdayOf } from './zoned-time.ts'

/** When the symbols of one pattern are expected to have prices. */
export interface MarketHours {
  readonly pattern: string
  /** `always`, or the sessions of a week in the market's own time. */
  readonly week: 'always' | MarketWeek
}

export interface MarketWeek {
  /** An IANA name, such as `America/New_York`. */
  readonly zone: string
  /** By weekday, Sunday first. */
  readonly days: readonly (readonly Session[])[]
  /** Days (`YYYY-MM-DD`) on which no session begins. */
  readonly holidays: ReadonlySet<string>
}

/** Minutes since midnight, on the wall clock; one that does not end after it begins ends on the next day. */
export interface Session {
  readonly from: number
  readonly to: number
}

/** The first pattern that fits a symbol counts; one that fits none is always open. */
export type TradingHours = readonly MarketHours[]

/** Since when a market has been open: −∞ where it never closes; undefined while it is closed. */
export function openSinceMs(hours: TradingHours, symbol: string, atMs: number): number | undefined {
  const market = hours.find(({ pattern }) => fitsPattern(pattern, symbol))
  if (!market || market.week === 'always') return Number.NEGATIVE_INFINITY
  return sessionStartMs(market.week, atMs)
}

/** The same of several symbols: of the one that has been open longest. Without any, of all markets. */
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
  // One of yesterday may go on past midnight.
  for (const day of [today, previousDay(today)]) {
    for (const session of sessionsOf(week, day)) {
      const startMs = instantAt(week.zone, day, session.from)
      const endDay = session.to > session.from ? day : nextDay(day)
      if (startMs <= atMs && atMs < instantAt(week.zone, endDay, session.to)) return startMs
    }
  }
  return undefined
}

function sessionsOf({ days, holidays }: MarketWeek, day: LocalDay): readonly Session[] {
  return holidays.has(day) ? [] : (days[weekdayOf(day)] ?? [])
}

/**
 * `AAPL=America/New_York Mon-Fri 09:30-16:00 !2026-12-25, BTC/*=always`: a zone, then days and the sessions of each,
 * as often as needed (`Mon-Thu 09:00-11:30 12:30-15:00 Fri 09:00-11:30`), then holidays.
 */
export function parseTradingHours(text: string): TradingHours {
  const parsed = readTradingHours(text)
  assert(typeof parsed !== 'string', `checked when the settings were read: ${parsed}`)
  return parsed
}

/** What is wrong with the text; undefined when nothing is. */
export function tradingHoursProblem(text: string): string | undefined {
  const parsed = readTradingHours(text)
  return typeof parsed === 'string' ? parsed : undefined
}

function readTradingHours(text: string): TradingHours | string {
  const markets: MarketHours[] = []
  for (const part of text.split(',')) {
    const [head = '', ...words] = part.trim().split(/\s+/)
    // The last '=': symbols such as EURUSD=X have one too.
    const equals = head.lastIndexOf('=')
    if (equals <= 0) return `'${part.trim()}' does not begin with PATTERN=ZONE`
    const [pattern, zone] = [head.slice(0, equals), head.slice(equals + 1)]
    const week = zone === 'always' && words.length === 0 ? 'always' : readWeek(zone, words)
    if (typeof week === 'string' && week !== 'always') return week
    markets.push({ pattern, week })
  }
  return markets
}

function readWeek(zone: string, words: readonly string[]): MarketWeek | string {
  if (!isTimeZone(zone)) return `'${zone}' is no time zone`
  const days: Session[][] = Array.from({ length: 7 }, () => [])
  const holidays = new Set<string>()
  let chosen: readonly number[] = []
  let isChoosing = false
  for (const word of words) {
    const more = readDays(word)
    const session = readSession(word)
    if (/^!\d{4}-\d{2}-\d{2}$/.test(word)) holidays.add(word.slice(1))
    else if (more) {
      chosen = isChoosing ? [...chosen, ...more] : more
      isChoosing = true
    } else if (session && chosen.length > 0) {
      for (const day of chosen) days[day]?.push(session)
      isChoosing = false
    } else return `'${word}' is neither days, a session after its days, nor a holiday`
  }
  if (isChoosing || days.every((sessions) => sessions.length === 0)) return `'${zone}' lacks a session`
  return { zone, days, holidays }
}

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']

/** `Mon` or `Mon-Fri`; a range may go past the end of the week. */
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
  const [hours = 99, minutes = 99] = text.split(':').map(Number)
  const total = hours * 60 + minutes
  return minutes < 60 && total <= 24 * 60 ? total : undefined
}
