import { isSame } from '../../../kpi/byte-strings.ts'
import { type JsonKind, JsonScanner, type MemberSink } from '../../../kpi/decode/json-scanner.ts'

/** Called for each member of an object with the meaning of its name and the position of its value. */
export type TakeMember<M> = (meaning: M, kind: JsonKind, buffer: Buffer, start: number, end: number) => void

/** How many members of an object are remembered from line to line, and how many names in total. */
const maxShape = 64
const maxNames = 1024

/**
 * Looks up the members of JSON objects. Lines of one file usually have the same members in the same order, so a name
 * is first compared with the one at the same place in the previous line, before it is looked up.
 */
export class JsonMembers<M> implements MemberSink {
  readonly scanner: JsonScanner
  readonly #meaningOf: (name: string) => M
  readonly #take: TakeMember<M>
  readonly #names = new Map<string, { readonly bytes: Buffer; readonly meaning: M }>()
  readonly #shape: { readonly bytes: Buffer; readonly meaning: M }[] = []
  #place = 0
  #buffer: Buffer = Buffer.alloc(0)

  constructor(meaningOf: (name: string) => M, take: TakeMember<M>) {
    this.#meaningOf = meaningOf
    this.#take = take
    this.scanner = new JsonScanner(this)
  }

  /** @returns false when `buffer[start, end)` is not valid JSON; the scanner has the reason. */
  scan(buffer: Buffer, start: number, end: number): boolean {
    this.#buffer = buffer
    this.#place = 0
    return this.scanner.scan(buffer, start, end)
  }

  member(nameStart: number, nameEnd: number, kind: JsonKind, valueStart: number, valueEnd: number): void {
    const place = this.#place++
    const before = this.#shape[place]
    if (before && isSame(before.bytes, this.#buffer, nameStart, nameEnd)) {
      this.#take(before.meaning, kind, this.#buffer, valueStart, valueEnd)
      return
    }
    const named = this.#lookUp(nameStart, nameEnd)
    if (place < maxShape) this.#shape[place] = named
    this.#take(named.meaning, kind, this.#buffer, valueStart, valueEnd)
  }

  #lookUp(start: number, end: number): { readonly bytes: Buffer; readonly meaning: M } {
    const text = this.#buffer.toString('utf8', start, end)
    const known = this.#names.get(text)
    if (known) return known
    const name = text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text
    const named = { bytes: Buffer.from(text), meaning: this.#meaningOf(name) }
    if (this.#names.size === maxNames) this.#names.clear()
    this.#names.set(text, named)
    return named
  }
}
