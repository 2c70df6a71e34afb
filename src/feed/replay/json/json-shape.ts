import type { JsonKind } from '../../../kpi/decode/json-scanner.ts'
import { type PriceLine, sourceFields } from '../price-line.ts'

/** A member of a line that was read in full. */
export interface ShapeMember {
  /** The index of the field that its value decides, -1 for none. */
  readonly field: number
  readonly kind: JsonKind
  readonly start: number
  readonly end: number
}

interface Place {
  /** What stands before the value, the opening quote of a string included. */
  readonly before: Buffer
  readonly isText: boolean
  readonly field: number
  /** Of a timestamp in quotes: whether it has the dash of a date, without which it is none of our messages'. */
  readonly isDate: boolean | undefined
}

const timestamp = sourceFields.indexOf('timestamp')
/** It is compared byte by byte, and must not be a book. */
const mostShapeBytes = 4096

/**
 * How the lines of a file look between their values: those of one file have the same members in the same order, so once
 * one of them was read in full, the next one only has to be compared with it. What takes part is plain: strings of ASCII
 * without escapes, numbers without exponents. Any other line does not fit, which says nothing about it.
 */
export class JsonShape {
  readonly #places: readonly Place[]
  readonly #tail: Buffer
  readonly #starts: Int32Array
  readonly #ends: Int32Array

  /** @returns The shape of the line `buffer[start, end)`, undefined where it is not plain. */
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

  /** Whether the line `buffer[start, end)` fits; then `read` gives its values. */
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

  /** The values of the line that fitted last. */
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

/** Whether the year of what begins here is followed by a dash. */
export function hasDash(buffer: Buffer, textStart: number): boolean {
  return buffer[textStart + 4] === dash
}

/** At the closing quote; -1 for a string that is not plain. */
function textEnd(buffer: Buffer, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    const byte = buffer[at] ?? 0
    if (byte === quote) return at
    if (byte < 0x20 || byte >= 0x7f || byte === backslash) return -1
  }
  return -1
}

/** Behind the number; -1 for one that is not plain. What follows is compared next, so an exponent does not fit. */
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
