import { assert } from '../../../errors.ts'
import type { JsonKind } from '../../../kpi/decode/json-scanner.ts'
import { fieldOf, type SourceMapping } from '../field-names.ts'
import { type LineFormat, type PriceLine, type RecordReader, type SourceField, sourceFields } from '../price-line.ts'
import { JsonMembers } from './json-members.ts'
import { hasDash, JsonShape, type ShapeMember } from './json-shape.ts'
import { setJsonValue } from './json-value.ts'

export interface JsonFormatOptions {
  /** Paths: `data.p` is the member `p` of the object `data`. */
  readonly mapping: SourceMapping
  /** Whether lines may omit the symbol. */
  readonly hasSymbol: boolean
  /** Base currencies that may appear in a member `Volume XXX`. */
  readonly bases: ReadonlySet<string>
  /** Whether numbers in strings use separators that JSON does not have. */
  readonly hasSigns: boolean
  readonly description: string
}

/** The field that a member means. */
interface Meaning {
  readonly field: SourceField | undefined
  /** Its index in {@link sourceFields}, -1 if it is no field. */
  readonly index: number
  /** If several members match a field, the one with the lowest rank is used; for equal ranks, the last one. */
  readonly rank: number
  /** Whether it has the name that our messages use. */
  readonly isCanonical: boolean
  /** The meanings of its own members, if its value is an object. */
  readonly inside: JsonMembers<Meaning> | undefined
}

const mappedRank = -1
const noRank = Number.POSITIVE_INFINITY
const blank = /^[ \t]*$/
/** Longer messages are rejected, so a longer line cannot be passed through unchanged. */
const maxMessageBytes = 65_536
/**
 * This many lines must fail to match the shape before another one is learnt. This limits the cost for files of
 * several shapes.
 */
const missesToLearn = 16
const mostShapeMembers = 64

/** Reads lines that are JSON objects. Lines that are already messages in our format are passed through unchanged. */
export class JsonFormat implements LineFormat {
  readonly description: string
  readonly hasMore = false
  problem = ''
  readonly #reader: RecordReader
  readonly #options: JsonFormatOptions
  readonly #members = this.#membersOf([])
  readonly #ranks = Object.fromEntries(sourceFields.map((name) => [name, noRank])) as Record<SourceField, number>
  #into: PriceLine | undefined
  #isOurs = true
  #shape: JsonShape | undefined
  /** Whether lines of the learnt shape are messages in our format. */
  #shapeIsOurs = false
  /** The members of the current line, up to one more than a shape can have. */
  readonly #shapeMembers: ShapeMember[] = []
  /** Lines read in full since a shape was learnt or matched. The first line is always learnt. */
  #misses = missesToLearn

  constructor(reader: RecordReader, options: JsonFormatOptions) {
    this.#reader = reader
    this.#options = options
    this.description = options.description
  }

  read(into: PriceLine): 'price' | 'blank' | 'bad' {
    const { buffer, start, end } = this.#reader
    if (this.#shape?.fits(buffer, start, end)) return this.#readShape(this.#shape, into)
    if (blank.test(buffer.toString('latin1', start, Math.min(end, start + 100)))) return 'blank'
    return this.#readInFull(into)
  }

  readMore(): 'bad' {
    assert(false, 'an object is one price')
  }

  #readShape(shape: JsonShape, into: PriceLine): 'price' {
    const { buffer, start, end } = this.#reader
    this.#misses = 0
    into.clear()
    shape.read(buffer, into)
    if (this.#shapeIsOurs && end - start <= maxMessageBytes) into.message.set(buffer, start, end)
    into.isMessagePlain = true
    return 'price'
  }

  #readInFull(into: PriceLine): 'price' | 'bad' {
    const { buffer, start, end } = this.#reader
    into.clear()
    for (const name of sourceFields) this.#ranks[name] = noRank
    this.#shapeMembers.length = 0
    this.#into = into
    this.#isOurs = true
    this.problem = ''
    const { scanner } = this.#members
    if (!this.#members.scan(buffer, start, end)) {
      this.problem = `no JSON: byte ${scanner.problemAt - start + 1}: ${scanner.problem}`
    } else if (scanner.kind !== 'object') this.problem = `a JSON ${scanner.kind}, not an object`
    if (this.problem !== '') return 'bad'
    const isOurs = this.#isOurs && this.#isWhole()
    if (isOurs && end - start <= maxMessageBytes) into.message.set(buffer, start, end)
    into.isMessagePlain = false
    this.#misses += 1
    if (this.#misses >= missesToLearn) this.#learn(isOurs)
    return 'price'
  }

  #learn(isOurs: boolean): void {
    const { buffer, start, end } = this.#reader
    const members = this.#shapeMembers
    this.#shape =
      members.length > mostShapeMembers || this.#options.hasSigns
        ? undefined
        : JsonShape.of(buffer, start, end, members)
    this.#shapeIsOurs = isOurs
    this.#misses = 0
  }

  /** Whether the line has everything that a message needs. */
  #isWhole(): boolean {
    const { symbol, timestamp, close, volume } = this.#ranks
    return symbol + timestamp + close + volume < noRank
  }

  #membersOf(path: readonly string[]): JsonMembers<Meaning> {
    return new JsonMembers<Meaning>(
      (name) => this.#meaningOf([...path, name]),
      (meaning, kind, buffer, start, end) => this.#take(meaning, kind, buffer, start, end),
    )
  }

  #meaningOf(path: readonly string[]): Meaning {
    const { mapping, hasSymbol } = this.#options
    const here = path.join('.')
    const leadsOn = [...mapping.values()].some((wanted) => wanted.startsWith(`${here}.`))
    const inside = leadsOn ? this.#membersOf(path) : undefined
    const mapped = [...mapping].find(([, wanted]) => wanted === here)
    if (mapped)
      return { field: mapped[0], index: sourceFields.indexOf(mapped[0]), rank: mappedRank, isCanonical: false, inside }
    const known = path.length === 1 ? fieldOf(here, this.#options.bases) : undefined
    if (!known || mapping.has(known.field) || (hasSymbol && known.field === 'symbol')) {
      return { field: undefined, index: -1, rank: noRank, isCanonical: false, inside }
    }
    return { ...known, index: sourceFields.indexOf(known.field), isCanonical: known.field === here, inside }
  }

  #take(meaning: Meaning, kind: JsonKind, buffer: Buffer, start: number, end: number) {
    const { field, rank, isCanonical, inside } = meaning
    const into = this.#into
    const counts = field !== undefined && into !== undefined && rank <= this.#ranks[field]
    const members = this.#shapeMembers
    if (members.length <= mostShapeMembers) members.push({ field: counts ? meaning.index : -1, kind, start, end })
    if (inside && kind === 'object') inside.scan(buffer, start, end)
    if (!counts) return
    this.#ranks[field] = rank
    if (!isCanonical || !isOurKind(field, kind, buffer, start)) this.#isOurs = false
    const problem = setJsonValue(into, { field, kind, buffer, start, end })
    if (problem !== '') this.problem = problem
  }
}

function isOurKind(field: SourceField, kind: JsonKind, buffer: Buffer, start: number): boolean {
  if (field === 'symbol') return kind === 'string'
  // "1381132800464" in quotes is not a valid timestamp of our messages, "2013-…" is.
  if (field === 'timestamp' && kind === 'string') return hasDash(buffer, start + 1)
  return kind === 'number'
}
