import { KpiError } from '../../../errors.ts'
import { fieldOf } from '../field-names.ts'
import { TimeColumn } from './time-column.ts'
import type { TimeFormat } from './time-format.ts'

/** Which columns make the timestamp of a line. */
export interface TimeChoice {
  readonly timestamp: string
  /** The column with the time of day, if it is separate from the date. */
  readonly clock: string | undefined
  /** Whether digits that form a date are read as one. */
  readonly isCompact: boolean
  /** Whether the column names say that times are UTC. */
  readonly isUtc: boolean
  /** Whether its name has the highest priority of all columns that have values. */
  readonly isFirst: boolean
}

interface Candidate {
  readonly name: string
  /** Priority of the name among the names for a timestamp; Infinity if the name is not one of them. */
  readonly rank: number
  readonly isUtc: boolean
  readonly column: TimeColumn
}

/** Only this many columns are searched for a time of day. */
const mostColumns = 64
const clockName = /time|hour|clock|minute/i

/**
 * Finds the timestamp columns by their names and by the values in the first lines. A time of day is joined with its
 * date. A date alone is not used if there is a time of day that belongs to it, or if a symbol has several rows per
 * day: that would put a whole day into one window.
 */
export class TimeColumns {
  readonly #candidates = new Map<string, Candidate>()
  readonly #format: TimeFormat | undefined
  readonly #told: { readonly timestamp: string | undefined; readonly clock: string | undefined }

  /** @param told - The columns that the user named as the timestamp. */
  constructor(
    told: { readonly timestamp: string | undefined; readonly clock: string | undefined },
    format: TimeFormat | undefined,
  ) {
    this.#told = told
    this.#format = format
  }

  /** Records a value of one of the first lines. */
  add(name: string, text: string, symbol: string): void {
    this.#candidate(name)?.column.add(text, symbol)
  }

  #candidate(name: string): Candidate | undefined {
    const found = this.#candidates.get(name)
    const isTold = name === this.#told.timestamp || name === this.#told.clock
    if (found || (this.#candidates.size >= mostColumns && !isTold)) return found
    const known = fieldOf(name)
    const isTime = known?.field === 'timestamp'
    const candidate = {
      name,
      rank: isTime ? known.rank : Number.POSITIVE_INFINITY,
      isUtc: isTime && known.isUtc,
      column: new TimeColumn(this.#format),
    }
    this.#candidates.set(name, candidate)
    return candidate
  }

  /**
   * @returns undefined if no column has the name of a timestamp.
   * @throws KpiError `KPI_FEED_FILE` if a date would be read without its time of day.
   */
  choose(path: string): TimeChoice | undefined {
    const { timestamp, clock } = this.#told
    if (timestamp !== undefined) {
      const isCompact = this.#candidates.get(timestamp)?.column.isCompact ?? false
      return { timestamp, clock, isCompact, isUtc: false, isFirst: false }
    }
    const named = [...this.#candidates.values()].filter(({ rank }) => rank < Number.POSITIVE_INFINITY)
    named.sort((a, b) => a.rank - b.rank)
    const found = this.#chooseNamed(path, named)
    const first = named.find(({ column }) => column.content !== 'nothing')
    return found && { ...found, isFirst: found.timestamp === first?.name && found.clock === undefined }
  }

  #chooseNamed(path: string, named: readonly Candidate[]): Omit<TimeChoice, 'isFirst'> | undefined {
    const whole = named.find(({ column }) => column.content === 'instants' && !column.isMidnights)
    if (whole) return choice(whole)
    const day = named.find(({ column }) => column.content === 'days' || column.isMidnights)
    if (day) return this.#withClock(path, day, named)
    const clocks = named.find(({ column }) => column.content === 'clocks')
    if (clocks && named.every(({ column }) => column.content === 'clocks' || column.content === 'nothing')) {
      throw new KpiError(
        'KPI_FEED_FILE',
        `${path}: the column '${clocks.name}' holds times of day without a date: name the column of the date with --map timestamp=DATE+${clocks.name}`,
      )
    }
    const first = named[0]
    return first && choice(first)
  }

  #withClock(path: string, day: Candidate, named: readonly Candidate[]): Omit<TimeChoice, 'isFirst'> {
    const isClock = ({ column }: Candidate) => column.content === 'clocks' || column.content === 'digits'
    const clock = named.find((candidate) => candidate !== day && isClock(candidate))
    if (clock) return choice(day, clock)
    const likely = [...this.#candidates.values()].find((other) => other !== day && isLikelyClock(other))
    if (likely) {
      throw new KpiError(
        'KPI_FEED_FILE',
        `${path}: '${day.name}' holds dates, and '${likely.name}' may be the time of day: join them with --map 'timestamp=${day.name}+${likely.name}', or read the dates alone with --map 'timestamp=${day.name}'`,
      )
    }
    if (day.column.content === 'days' && day.column.hasRepeatedDay) {
      throw new KpiError(
        'KPI_FEED_FILE',
        `${path}: '${day.name}' holds dates, and there are several rows of one symbol and day, which would all fall into one window: name the column of the time of day with --map 'timestamp=${day.name}+COLUMN', or read the dates alone with --map 'timestamp=${day.name}'`,
      )
    }
    return choice(day)
  }
}

function isLikelyClock({ name, rank, column }: Candidate): boolean {
  if (column.content === 'clocks') return true
  // The column has the name of a time, but its values have no known time format.
  if (rank < Number.POSITIVE_INFINITY) return column.content === 'other' && clockName.test(name)
  return clockName.test(name) && (column.content === 'digits' || (column.content === 'other' && column.hasSmallNumbers))
}

function choice(day: Candidate, clock?: Candidate): Omit<TimeChoice, 'isFirst'> {
  const isUtc = day.isUtc || clock?.isUtc === true
  return { timestamp: day.name, clock: clock?.name, isCompact: day.column.isCompact, isUtc }
}
