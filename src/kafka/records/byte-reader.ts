import { KpiError } from '../../errors.ts'

/** Reads Kafka's wire types in place from one buffer. Reading past the end throws the error of a corrupt answer. */
export class ByteReader {
  readonly buffer: Buffer
  position: number
  readonly end: number

  constructor(buffer: Buffer, position = 0, end = buffer.length) {
    this.buffer = buffer
    this.position = position
    this.end = end
  }

  int8(): number {
    return this.buffer.readInt8(this.advance(1))
  }

  int16(): number {
    return this.buffer.readInt16BE(this.advance(2))
  }

  int32(): number {
    return this.buffer.readInt32BE(this.advance(4))
  }

  /** Exact up to 2^53, which no offset reaches. A larger timestamp is invalid anyway, rounded or not. */
  int64(): number {
    return int64At(this.buffer, this.advance(8))
  }

  uuid(): string {
    const hex = this.buffer.toString('hex', this.advance(16), this.position)
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
  }

  unsignedVarint(): number {
    let value = 0
    let shift = 0
    for (;;) {
      const byte = this.buffer[this.advance(1)] ?? 0
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
      shift += 7
      if (shift > 28) throw corrupt('a length of more than five bytes')
    }
  }

  /** The length of a compact array or of compact bytes; -1 for null. */
  compactLength(): number {
    return this.unsignedVarint() - 1
  }

  skipTaggedFields(): void {
    for (let count = this.unsignedVarint(); count > 0; count--) {
      this.unsignedVarint()
      this.advance(this.unsignedVarint())
    }
  }

  /** Skips this many bytes and returns where they begin. */
  advance(bytes: number): number {
    const at = this.position
    if (at + bytes > this.end) throw corrupt('an answer that ends too early')
    this.position = at + bytes
    return at
  }
}

export function int64At(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at) * 4_294_967_296 + buffer.readUInt32BE(at + 4)
}

export function corrupt(what: string): KpiError {
  return new KpiError('KPI_KAFKA_CORRUPT', `Kafka sent ${what}: check the broker's disks and what is in between`)
}
