import { assert } from '../../../errors.ts'
import { JsonScanner } from '../../../kpi/decode/json-scanner.ts'
import type { LineFormat, PriceLine, RecordReader, SourceField } from '../price-line.ts'
import { elementsOf } from './json-elements.ts'
import { setJsonValue } from './json-value.ts'

const noSink = { member: () => undefined }

/** Reads lines, or elements of a file's array, that are JSON arrays. The index of a value decides its field. */
export class ArrayFormat implements LineFormat {
  readonly description: string
  readonly hasMore = false
  problem = ''
  readonly #reader: RecordReader
  readonly #places: readonly (readonly [SourceField, number])[]
  readonly #scanner = new JsonScanner(noSink)

  constructor(
    reader: RecordReader,
    options: { readonly places: ReadonlyMap<SourceField, number>; readonly description: string },
  ) {
    this.#reader = reader
    this.#places = [...options.places]
    this.description = options.description
  }

  read(into: PriceLine): 'price' | 'blank' | 'bad' {
    const { buffer, start, end } = this.#reader
    into.clear()
    if (start === end) return 'blank'
    if (!this.#scanner.scan(buffer, start, end)) {
      if (buffer.toString('latin1', start, end).trim() === '') return 'blank'
      return this.#bad(`no JSON: byte ${this.#scanner.problemAt - start + 1}: ${this.#scanner.problem}`)
    }
    if (this.#scanner.kind !== 'array') return this.#bad(`a JSON ${this.#scanner.kind}, not an array`)
    const elements = elementsOf(buffer, buffer.indexOf(openBracket, start), end)
    for (const [field, place] of this.#places) {
      const element = elements[place]
      const problem = element ? setJsonValue(into, { field, buffer, ...element }) : ''
      if (problem !== '') return this.#bad(problem)
    }
    return 'price'
  }

  readMore(): 'bad' {
    assert(false, 'an array is one price')
  }

  #bad(problem: string): 'bad' {
    this.problem = problem
    return 'bad'
  }
}

const openBracket = 0x5b
