import type { JsonKind } from '../../../kpi/decode/json-scanner.ts'
import { type PriceLine, sourceFields } from '../price-line.ts'

/** A member of a line that was read in full. */
export interface ShapeMember {
  /** The index of the field that the value sets, -1 for none. */
  readonly field: number
  readonly kind: JsonKind
  readonly start: number
  readonly end: number
}

interface Place {
  /** The bytes before the value, including the opening quote of a string. */
  readonly before: Buffer
  readonly isText: boolean
  readonly field: number
  /** For a timestamp in quotes: whether it has the dash of a date. Without a dash it is not valid in our messages. */
  readonly isDate: boolean | undefined
}

const timestamp = sourceFields.indexOf('timestamp')
/** Longer shapes are not learnt, because every line is compared with the shape byte by byte. */
const mostShapeBytes = 4096

/**
 * The bytes of a line outside its values. Lines of one file usually have the same members in the same order, so after
 * one line was read in full, the following ones are only compared with its shape. The shape covers plain values:
 * ASCII strings without escapes, and numbers without exponents. A line that does not match may still be valid and is
 * read in full.
 */
export class JsonShape {
  readonly #places: readonly Place[]
  readonly #tail: Buffer
  readonly #starts: Int32Array
  readonly #ends: Int32Array

  /** @returns The shape of the line `buffer[start, end)`, or undefined if the line is not plain. */
  static of(buffer: Buffer, start: number, end: number, members: readonly ShapeMember[]): JsonShape | undefined {
    const places: Place[] = []
    let at = start
    for (const { field, kind, start: valueStart, end: valueEnd } of members) {
      const isText = kind === 'string'
      if (!isText && kind !== 'number') return undefined
      const quotes = isText ? 1 : 0
      const isDate = isText && field === timestamp ? hasDash(buffer, valueStart + 1) : undefined
      places.push({ before: Buffer.from(buffer.subarray(at, valueStart + quotes)), isText, field, isDate })
      at = valueEnd - quotes
    }
    const tail = Buffer.from(buffer.subarray(at, end))
    const bytes = places.reduce((sum, { before }) => sum + before.length, tail.length)
    return places.length === 0 || bytes > mostShapeBytes ? undefined : new JsonShape(places, tail)
  }

  private constructor(places: readonly Place[], tail: Buffer) {
    this.#places = places
    this.#tail = tail
    this.#starts = new Int32Array(places.length)
    this.#ends = new Int32Array(places.length)
  }

  /** Whether the line `buffer[start, end)` matches the shape; if so, `read` returns its values. */
  fits(buffer: Buffer, start: number, end: number): boolean {
    const places = this.#places
    let at = start
    for (let i = 0; i < places.length; i++) {
      const place = places[i]
      if (place === undefined || !isAt(place.before, buffer, at, end)) return false
      at += place.before.length
      this.#starts[i] = at
      if (place.isDate !== undefined && place.isDate !== hasDash(buffer, at)) return false
      at = place.isText ? textEnd(buffer, at, end) : numberEnd(buffer, at, end)
      if (at < 0) return false
      this.#ends[i] = at
    }
    return end - at === this.#tail.length && isAt(this.#tail, buffer, at, end)
  }

  /** The values of the last line that matched. */
  read(buffer: Buffer, into: PriceLine): void {
    const places = this.#places
    for (let i = 0; i < places.length; i++) {
      const field = places[i]?.field ?? -1
      if (field >= 0) into.fields[field]?.set(buffer, this.#starts[i] ?? 0, this.#ends[i] ?? 0)
    }
  }
}

function isAt(wanted: Buffer, buffer: Buffer, at: number, end: number): boolean {
  if (at + wanted.length > end) return false
  for (let i = 0; i < wanted.length; i++) if (wanted[i] !== buffer[at + i]) return false
  return true
}

/** Whether the text starts with a year followed by a dash. */
export function hasDash(buffer: Buffer, textStart: number): boolean {
  return buffer[textStart + 4] === dash
}

/** The position of the closing quote; -1 if the string is not plain. */
function textEnd(buffer: Buffer, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    const byte = buffer[at] ?? 0
    if (byte === quote) return at
    if (byte < 0x20 || byte >= 0x7f || byte === backslash) return -1
  }
  return -1
}

/**
 * The position after the number; -1 if it is not plain. The following bytes are compared next, so an exponent does
 * not match.
 */
function numberEnd(buffer: Buffer, start: number, end: number): number {
  const first = buffer[start] === minus ? start + 1 : start
  let at = digitsEnd(buffer, first, end)
  if (at === first || (buffer[first] === zero && at > first + 1)) return -1
  if (at === end || buffer[at] !== point) return at
  at = digitsEnd(buffer, at + 1, end)
  return buffer[at - 1] === point ? -1 : at
}

function digitsEnd(buffer: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && ((buffer[at] ?? 0) ^ zero) <= 9) at += 1
  return at
}

const quote = 0x22
const backslash = 0x5c
const minus = 0x2d
const dash = minus
const point = 0x2e
const zero = 0x30
