import { isTimeZone } from '../../../config/zoned-time.ts'
import { KpiError } from '../../../errors.ts'

/** How a local time was taken for an instant. */
export type LocalTimeCase = 'once' | 'twice' | 'never'

const secondsPerDay = 86_400
/** A file in random order must not fill the memory. */
const mostDays = 10_000

/**
 * Instants of wall-clock times in one zone, daylight saving included. A local time that occurs twice, as clocks go back,
 * is the first of its two instants. One that does not exist, as they go forward, is the earlier of the two that the
 * offsets before and after the change make of it.
 */
export class TimeZone {
  readonly name: string
  /** What the last `instantOf` met. */
  lastCase: LocalTimeCase = 'once'
  readonly #format: Intl.DateTimeFormat
  /** The offset of days on which it does not change; NaN of the others. */
  readonly #offsetOfDay = new Map<number, number>()
  #day = Number.NaN
  #offset = Number.NaN

  /** @throws KpiError `KPI_USAGE` for a zone that does not exist. */
  constructor(name: string) {
    if (!isTimeZone(name)) {
      throw new KpiError(
        'KPI_USAGE',
        `--time-zone ${name}: there is no such zone; write it as Europe/Berlin or Etc/GMT+5`,
      )
    }
    this.name = name
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      calendar: 'iso8601',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  }

  /**
   * @param local - Seconds from 1970-01-01 00:00:00 on the zone's wall clock.
   * @returns Seconds since 1970, UTC.
   */
  instantOf(local: number): number {
    const day = Math.floor(local / secondsPerDay)
    if (day !== this.#day) {
      this.#offset = this.#dayOffset(day)
      this.#day = day
    }
    this.lastCase = 'once'
    return Number.isNaN(this.#offset) ? this.#aroundChange(local) : local - this.#offset
  }

  /** Offsets change once within some days at most: the days around one tell whether it is one of a change. */
  #dayOffset(day: number): number {
    const known = this.#offsetOfDay.get(day)
    if (known !== undefined) return known
    const before = this.#offsetAt((day - 1) * secondsPerDay)
    const after = this.#offsetAt((day + 2) * secondsPerDay)
    const offset = before === after ? before : Number.NaN
    if (this.#offsetOfDay.size === mostDays) this.#offsetOfDay.clear()
    this.#offsetOfDay.set(day, offset)
    return offset
  }

  #aroundChange(local: number): number {
    const candidates = [local - this.#offsetAt(local - secondsPerDay), local - this.#offsetAt(local + secondsPerDay)]
    const valid = candidates.filter((instant) => instant + this.#offsetAt(instant) === local)
    this.lastCase = valid.length === 0 ? 'never' : new Set(valid).size === 2 ? 'twice' : 'once'
    return Math.min(...(valid.length === 0 ? candidates : valid))
  }

  /** East of Greenwich, in seconds. */
  #offsetAt(instant: number): number {
    const parts: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {}
    for (const { type, value } of this.#format.formatToParts(instant * 1000)) parts[type] = Number(value)
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
    return Date.UTC(year, month - 1, day, hour, minute, second) / 1000 - instant
  }
}
