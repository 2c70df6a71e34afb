import { isMidnight, readClock, readCompact, readDateTime } from './civil-time.ts'
import { plainDigits, readEpoch } from './epoch-text.ts'
import type { TimeFormat } from './time-format.ts'

/** What most values of a column contain. */
export type TimeContent = 'instants' | 'days' | 'clocks' | 'digits' | 'other' | 'nothing'

type Value =
  | 'instant'
  | 'midnight'
  | 'day'
  | 'compact day'
  | 'compact instant'
  | 'no date'
  | 'clock'
  | 'clock digits'
  | 'number'
  | 'other'

const firstEpochSecond = 315_532_800
const compactLengths = new Set([8, 12, 14])
/** Dates with slashes, and other dates whose order of day and month only the user knows. */
const day = /^\d{1,4}[/.-]([A-Za-z]{3}|\d{1,2})[/.-]\d{1,4}$/
const dayAndClock = /^\d{1,4}[/.-]([A-Za-z]{3}|\d{1,2})[/.-]\d{1,4}[T ,]+\d{1,2}:\d\d/

/** Counts the kinds of the first values of a column. */
export class TimeColumn {
  readonly #counts = new Map<Value, number>()
  readonly #format: TimeFormat | undefined
  readonly #rowsOfDay = new Set<string>()
  #hasRepeatedDay = false

  constructor(format: TimeFormat | undefined) {
    this.#format = format
  }

  add(text: string, symbol: string): void {
    if (text === '') return
    const value = this.#valueOf(text)
    this.#counts.set(value, this.#count(value) + 1)
    const row = `${symbol}\n${text}`
    if (this.#rowsOfDay.has(row)) this.#hasRepeatedDay = true
    else this.#rowsOfDay.add(row)
  }

  /** Whether its digits are dates, because most values that could be dates are valid ones. */
  get isCompact(): boolean {
    return this.#count('compact day', 'compact instant') > this.#count('no date')
  }

  /** Whether a symbol has several rows with the same text. */
  get hasRepeatedDay(): boolean {
    return this.#hasRepeatedDay
  }

  /** Whether all its instants are midnights, as spreadsheets write days. */
  get isMidnights(): boolean {
    return this.#count('midnight') > 0 && this.#count('instant', 'compact instant') === 0
  }

  get content(): TimeContent {
    const counts: readonly (readonly [TimeContent, number])[] = [
      ['instants', this.#count('instant', 'midnight', ...(this.isCompact ? (['compact instant'] as const) : []))],
      ['days', this.#count('day', ...(this.isCompact ? (['compact day'] as const) : []))],
      ['clocks', this.#count('clock')],
      ['digits', this.#count('clock digits')],
      [
        'other',
        this.#count(
          'other',
          'number',
          'no date',
          ...(this.isCompact ? [] : (['compact day', 'compact instant'] as const)),
        ),
      ],
    ]
    const most = counts.reduce((best, found) => (found[1] > best[1] ? found : best))
    return most[1] === 0 ? 'nothing' : most[0]
  }

  /** Whether it has numbers that are too small to be an instant. */
  get hasSmallNumbers(): boolean {
    return this.#count('number', 'clock digits') > 0
  }

  #count(...values: readonly Value[]): number {
    return values.reduce((sum, value) => sum + (this.#counts.get(value) ?? 0), 0)
  }

  #valueOf(text: string): Value {
    const isClock = /^\d\d:/.test(text) && readClock(text) !== undefined
    if (isClock) return 'clock'
    if (this.#format) return valueOfFormat(text, this.#format)
    const civil = readDateTime(text)
    if (civil) return civil.isDay ? 'day' : isMidnight(civil) ? 'midnight' : 'instant'
    if (day.test(text)) return 'day'
    if (dayAndClock.test(text)) return 'instant'
    if (/^\d+$/.test(text) && compactLengths.has(text.length)) {
      const compact = readCompact(text)
      if (compact) return compact.isDay ? 'compact day' : 'compact instant'
      return isEpoch(text) ? 'instant' : 'no date'
    }
    if (/^(\d{4}|\d{6})$/.test(text) && readClock(text)) return 'clock digits'
    if (isEpoch(text)) return 'instant'
    return plainDigits(text) ? 'number' : 'other'
  }
}

function valueOfFormat(text: string, format: TimeFormat): Value {
  if (format.kind === 'pattern') {
    const found = format.pattern.read(text)
    if (found) return found.isDay ? 'day' : 'instant'
    // Date and time of day may be in separate columns.
    if (day.test(text) || readCompact(text)?.isDay) return 'day'
    return /^(\d{4}|\d{6})$/.test(text) && readClock(text)
      ? 'clock digits'
      : /^\d{1,2}:\d\d/.test(text)
        ? 'clock'
        : 'other'
  }
  if (/^(\d{4}|\d{6})$/.test(text) && readClock(text)) return format.kind === 'excel' ? 'instant' : 'clock digits'
  if (format.kind === 'excel') return /^\d+$/.test(text) ? 'day' : /^\d+[.,]\d*$/.test(text) ? 'instant' : 'other'
  return plainDigits(text) ? 'instant' : 'other'
}

function isEpoch(text: string): boolean {
  const digits = plainDigits(text)
  const epoch = digits && readEpoch(digits)
  return epoch !== undefined && epoch.seconds >= firstEpochSecond
}
