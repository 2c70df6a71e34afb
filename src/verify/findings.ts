/** One value that is not what the log says. Of a row: symbol and window. Of a dead letter: partition and offset. */
export interface Difference {
  readonly symbol?: string
  /** Start of the window, ISO 8601. */
  readonly window?: string
  readonly partition?: number
  readonly offset?: number
  /** The column, or `row` or `letter` where all of it is missing or must not be there. */
  readonly column: string
  /** Null where there is none. */
  readonly table: string | null
  readonly recomputed: string | null
}

/** A window that cannot be compared, since the log does not hold all of it any more. */
export interface UncheckedWindow {
  readonly symbol: string
  readonly window: string
  /** Messages in the row, and those of them that the log still holds. */
  readonly tradeCount: number
  readonly inLog: number
}

/** Keeps the first findings, and counts all of them. */
export class Findings<T> {
  readonly #kept: T[] = []
  readonly #limit: number
  #count = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  get count(): number {
    return this.#count
  }

  get first(): readonly T[] {
    return this.#kept
  }

  add(found: T): void {
    this.#count += 1
    if (this.#kept.length < this.#limit) this.#kept.push(found)
  }
}

/** ISO 8601 with as many digits of a second as it has. */
export function isoInstant(us: number): string {
  const date = new Date(Math.floor(us / 1000))
  if (Number.isNaN(date.getTime())) return `${us} µs`
  const whole = date.toISOString().slice(0, 19)
  const fraction = String(us % 1e6)
    .padStart(6, '0')
    .replace(/0+$/, '')
  return fraction === '' ? `${whole}Z` : `${whole}.${fraction}Z`
}
