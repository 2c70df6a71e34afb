import { KpiError } from '../../errors.ts'
import type { LinePlace } from './line-mark.ts'

/** Knows which lines of a file were already sent, by partition, and checks that the file has not changed. */
export class ResumePlaces {
  /** All lines before this one are in the topic, in every partition. */
  readonly first: LinePlace
  /** The last line that was sent to any partition. */
  readonly lastLine: number
  readonly #path: string
  readonly #lastOf: readonly LinePlace[]
  readonly #positions: ReadonlyMap<number, number>

  constructor(path: string, lines: ReadonlyMap<number, LinePlace>, partitionCount: number) {
    const beginning = { line: 0, element: 0, position: 0 }
    const places = Array.from({ length: partitionCount }, (_, partition) => lines.get(partition) ?? beginning)
    this.#path = path
    this.#lastOf = places
    this.#positions = new Map(places.map(({ line, position }) => [line, position]))
    this.first = places.reduce((lowest, place) => (place.line < lowest.line ? place : lowest), places[0] ?? beginning)
    this.lastLine = Math.max(0, ...places.map(({ line }) => line))
  }

  /** @param element - Index of the price in the line, from 0. */
  isSent(line: number, element: number, partition: number): boolean {
    const last = this.#lastOf[partition]
    return last !== undefined && (line < last.line || (line === last.line && element <= last.element))
  }

  /** @throws KpiError `KPI_FEED_FILE` when a line that was sent is no longer at its position. */
  check(line: number, position: number): void {
    const then = this.#positions.get(line)
    if (then !== undefined && then !== position) this.#complain(`line ${line} began at byte ${then}, now ${position}`)
  }

  /** @throws KpiError `KPI_FEED_FILE` when the file ends before a line that was sent. */
  checkEnd(lines: number): void {
    if (lines < this.lastLine) this.#complain(`it had ${this.lastLine} lines or more, now ${lines}`)
  }

  #complain(change: string): never {
    throw new KpiError(
      'KPI_FEED_FILE',
      `${this.#path} was changed since a part of it was sent (${change}): where to continue is unknown; --from-start sends all of it`,
    )
  }
}
