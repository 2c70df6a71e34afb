import { type MessageKey, messageKey, partitionOf } from '../../kafka/records/message-key.ts'
import { fnv1a, isSame } from '../../kpi/byte-strings.ts'
import type { FieldText } from './price-line.ts'

/** The parts of a symbol's messages that do not change. */
export interface SymbolForm {
  readonly bytes: Buffer
  readonly key: MessageKey
  readonly partition: number
  /** The beginning of its messages, up to the value of the timestamp. */
  readonly start: Buffer
  /** The day of its last line, in a file of dates: microseconds since 1970. */
  lastDayUs: number
  /** Whether the consumer is known to accept the symbol. */
  isAccepted: boolean
}

/** Limits memory for a file in which every line has a new symbol. */
const maxForms = 65_536

/** The forms of all symbols. They are looked up by bytes, without creating a string. */
export class SymbolForms {
  readonly #partitionCount: number
  readonly #byHash = new Map<number, SymbolForm[]>()
  #count = 0

  constructor(partitionCount: number) {
    this.#partitionCount = partitionCount
  }

  find({ bytes, start, end }: FieldText): SymbolForm {
    const hash = fnv1a(bytes, start, end)
    const sameHash = this.#byHash.get(hash)
    if (sameHash) for (const form of sameHash) if (isSame(form.bytes, bytes, start, end)) return form
    return this.#add(hash, Buffer.from(bytes.subarray(start, end)))
  }

  #add(hash: number, bytes: Buffer): SymbolForm {
    if (this.#count === maxForms) {
      this.#byHash.clear()
      this.#count = 0
    }
    const text = bytes.toString()
    const key = messageKey(text)
    const start = Buffer.from(`{"symbol":${JSON.stringify(text)},"timestamp":`)
    const form = {
      bytes,
      key,
      partition: partitionOf(key, this.#partitionCount),
      start,
      lastDayUs: Number.NaN,
      isAccepted: false,
    }
    const sameHash = this.#byHash.get(hash)
    if (sameHash) sameHash.push(form)
    else this.#byHash.set(hash, [form])
    this.#count += 1
    return form
  }
}
