import { JsonScanner } from '../../../kpi/decode/json-scanner.ts'
import type { SourceMapping } from '../field-names.ts'
import type { LineFormat, PriceLine, RecordReader, SourceField } from '../price-line.ts'
import { elementsOf, type JsonPlace } from './json-elements.ts'
import { setJsonValue } from './json-value.ts'

/** After the name of an array in a path, this means each of its elements. */
export const eachElement = '[]'

/** A parsed path: the member names to follow, from the frame or from each element. */
export interface FramePath {
  readonly field: SourceField
  readonly names: readonly string[]
  readonly isOfElement: boolean
}

/** The parsed form of `--map close=data[].price`. */
export interface FramePaths {
  /** The member names that lead to the array; empty if the line is the array itself. */
  readonly array: readonly string[]
  readonly paths: readonly FramePath[]
}

/** Whether a mapping refers to elements of an array. */
export function isFrameMapping(mapping: SourceMapping): boolean {
  return [...mapping.values()].some((path) => path.includes(eachElement))
}

/** @returns undefined if the paths use several arrays, or an array inside an array. */
export function framePaths(mapping: SourceMapping): FramePaths | undefined {
  const split = [...mapping].map(([field, path]) => ({ field, parts: path.split(eachElement) }))
  const arrays = new Set(split.flatMap(({ parts }) => (parts.length > 1 ? [parts[0] ?? ''] : [])))
  if (arrays.size !== 1 || split.some(({ parts }) => parts.length > 2)) return undefined
  const [array = ''] = arrays
  const namesOf = (text: string) => text.split('.').filter((name) => name !== '')
  return {
    array: namesOf(array),
    paths: split.map(({ field, parts }) => ({
      field,
      names: namesOf(parts.at(-1) ?? ''),
      isOfElement: parts.length > 1,
    })),
  }
}

/** Reads lines that are messages of a live feed: an object with an array of prices. Each price becomes one message. */
export class FrameFormat implements LineFormat {
  readonly description: string
  problem = ''
  readonly #reader: RecordReader
  readonly #paths: FramePaths
  #name = ''
  #found: JsonPlace | undefined
  readonly #members = new JsonScanner({
    member: (nameStart, nameEnd, kind, start, end) => {
      if (this.#reader.buffer.toString('utf8', nameStart, nameEnd) === this.#name) this.#found = { kind, start, end }
    },
  })
  #whole: JsonPlace = { kind: 'null', start: 0, end: 0 }
  #elements: readonly JsonPlace[] = []
  #next = 0

  constructor(reader: RecordReader, options: { readonly paths: FramePaths; readonly description: string }) {
    this.#reader = reader
    this.#paths = options.paths
    this.description = options.description
  }

  get hasMore(): boolean {
    return this.#next < this.#elements.length
  }

  read(into: PriceLine): 'price' | 'blank' | 'bad' {
    const { buffer, start, end } = this.#reader
    this.#elements = []
    this.#next = 0
    if (!this.#members.scan(buffer, start, end)) {
      if (buffer.toString('latin1', start, end).trim() === '') return 'blank'
      return this.#bad(`no JSON: byte ${this.#members.problemAt - start + 1}: ${this.#members.problem}`)
    }
    const path = this.#paths.array
    this.#whole = { kind: this.#members.kind, start: valueStart(buffer, start, end), end }
    const array = this.#follow(this.#whole, path)
    if (array?.kind !== 'array') return this.#bad(`no array ${path.join('.')}${eachElement}`)
    this.#elements = elementsOf(buffer, array.start, array.end)
    if (!this.hasMore) return this.#bad(`its array ${path.join('.')} is empty`)
    return this.readMore(into)
  }

  readMore(into: PriceLine): 'price' | 'bad' {
    const element = this.#elements[this.#next++]
    into.clear()
    for (const { field, names, isOfElement } of this.#paths.paths) {
      const from = isOfElement ? element : this.#whole
      const value = from && this.#follow(from, names)
      const problem = value ? setJsonValue(into, { field, buffer: this.#reader.buffer, ...value }) : ''
      if (problem !== '') return this.#bad(problem)
    }
    return 'price'
  }

  /** The value at the end of a path. A path follows members of objects by name and elements of arrays by index. */
  #follow(from: JsonPlace, names: readonly string[]): JsonPlace | undefined {
    let place: JsonPlace | undefined = from
    for (const name of names) {
      place = place.kind === 'array' ? this.#element(place, name) : this.#member(place, name)
      if (!place) return undefined
    }
    return place
  }

  #element({ start, end }: JsonPlace, name: string): JsonPlace | undefined {
    return elementsOf(this.#reader.buffer, start, end)[/^\d+$/.test(name) ? Number(name) : -1]
  }

  #member({ kind, start, end }: JsonPlace, name: string): JsonPlace | undefined {
    if (kind !== 'object') return undefined
    this.#name = name
    this.#found = undefined
    this.#members.scan(this.#reader.buffer, start, end)
    return this.#found
  }

  #bad(problem: string): 'bad' {
    this.problem = problem
    return 'bad'
  }
}

/** Skips white space before the value. */
function valueStart(buffer: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && (buffer[at] ?? 0) <= 0x20) at += 1
  return at
}
