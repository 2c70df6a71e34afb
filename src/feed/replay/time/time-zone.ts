import { isTimeZone } from '../../../config/zoned-time.ts'
import { KpiError } from '../../../errors.ts'

/** How often a local time occurs in its zone. */
export type LocalTimeCase = 'once' | 'twice' | 'never'

const secondsPerDay = 86_400
/** Limits memory for a file in random order. */
const mostDays = 10_000

/**
 * Converts local times of one zone to instants, including daylight saving time. A local time that occurs twice, when
 * clocks go back, is read as the first of its two instants. For one that does not exist, when clocks go forward, the
 * offsets before and after the change give two instants, and the earlier one is used.
 */
export class TimeZone {
  readonly name: string
  /** The case of the last `instantOf` call. */
  lastCase: LocalTimeCase = 'once'
  readonly #format: Intl.DateTimeFormat
  /** The offset on days when it does not change; NaN for days with a change. */
  readonly #offsetOfDay = new Map<number, number>()
  #day = Number.NaN
  #offset = Number.NaN

  /** @throws KpiError `KPI_USAGE` if the zone does not exist. */
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

  /**
   * Offsets change at most once within a few days, so comparing the days before and after shows whether a day has a
   * change.
   */
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

  /** Offset east of UTC, in seconds. */
  #offsetAt(instant: number): number {
    const parts: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {}
    for (const { type, value } of this.#format.formatToParts(instant * 1000)) parts[type] = Number(value)
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
    return Date.UTC(year, month - 1, day, hour, minute, second) / 1000 - instant
  }
}
