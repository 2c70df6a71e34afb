import { KpiError } from '../../errors.ts'
import type { LinePlace } from './line-mark.ts'

/** Which lines of a file need not be sent again, by partition; and whether it is still the file that it was. */
export class ResumePlaces {
  /** Lines before it are in the topic, whatever partition they belong to. */
  readonly first: LinePlace
  /** No line behind it was sent. */
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

  /** @param element - Which of the line's prices, from 0. */
  isSent(line: number, element: number, partition: number): boolean {
    const last = this.#lastOf[partition]
    return last !== undefined && (line < last.line || (line === last.line && element <= last.element))
  }

  /** @throws KpiError `KPI_FEED_FILE` when a line that was sent no longer stands where it stood. */
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
