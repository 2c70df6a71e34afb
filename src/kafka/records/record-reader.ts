import { corrupt } from './byte-reader.ts'

/** Reads records one by one into its own fields, without allocating memory. */
export class RecordReader {
  readonly buffer: Buffer
  readonly #end: number
  #at: number
  offsetDelta = 0
  timestampDelta = 0
  keyStart = -1
  keyEnd = -1
  valueStart = -1
  valueEnd = -1

  constructor(buffer: Buffer, start: number, end: number) {
    this.buffer = buffer
    this.#at = start
    this.#end = end
  }

  get atEnd(): boolean {
    return this.#at === this.#end
  }

  read(): void {
    const length = this.#varint()
    const end = this.#at + length
    if (length < 6 || end > this.#end) throw corrupt('a record that ends outside its batch')
    this.#at += 1 // attributes: unused in format 2
    this.timestampDelta = this.#varlong()
    this.offsetDelta = this.#varint()
    const keyLength = this.#varint()
    this.keyStart = keyLength < 0 ? -1 : this.#at
    this.#at += Math.max(keyLength, 0)
    this.keyEnd = this.#at
    const valueLength = this.#varint()
    this.valueStart = valueLength < 0 ? -1 : this.#at
    this.valueEnd = this.#at + Math.max(valueLength, 0)
    if (this.valueEnd > end) throw corrupt('a value that ends outside its record')
    this.#at = end // headers are skipped
  }

  /** Zigzag, up to 32 bits. */
  #varint(): number {
    let raw = 0
    let shift = 0
    let byte: number
    do {
      byte = this.buffer[this.#at++] ?? 0
      raw |= (byte & 0x7f) << shift
      shift += 7
    } while (byte >= 0x80 && shift < 35)
    return (raw >>> 1) ^ -(raw & 1)
  }

  /** Zigzag, up to 64 bits; exact up to 2^53. */
  #varlong(): number {
    let raw = 0
    let scale = 1
    let byte: number
    do {
      byte = this.buffer[this.#at++] ?? 0
      raw += (byte & 0x7f) * scale
      scale *= 128
    } while (byte >= 0x80 && scale < 2 ** 70)
    return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2
  }
}
