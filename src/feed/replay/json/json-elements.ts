import type { JsonKind } from '../../../kpi/decode/json-scanner.ts'

/** A value in a JSON text: `buffer[start, end)`. */
export interface JsonPlace {
  readonly kind: JsonKind
  readonly start: number
  readonly end: number
}

/** The positions of the elements of an array in valid JSON text. `start` is at the opening bracket. */
export function elementsOf(buffer: Buffer, start: number, end: number): JsonPlace[] {
  const places: JsonPlace[] = []
  let at = start + 1
  while (at < end) {
    while (at < end && isBetween(buffer[at] ?? 0)) at += 1
    if (at >= end || buffer[at] === closeBracket) break
    const valueEnd = endOf(buffer, at, end)
    places.push({ kind: kindOf(buffer[at] ?? 0), start: at, end: valueEnd })
    at = valueEnd
  }
  return places
}

/** The position after the value that begins at `start`. */
function endOf(buffer: Buffer, start: number, end: number): number {
  let depth = 0
  for (let at = start; at < end; at++) {
    const byte = buffer[at] ?? 0
    if (byte === quote) {
      at = closingQuote(buffer, at + 1, end)
      if (depth === 0) return at + 1
    } else if (byte === openBrace || byte === openBracket) depth += 1
    else if (byte === closeBrace || byte === closeBracket) {
      if (depth === 0) return at
      depth -= 1
      if (depth === 0) return at + 1
    } else if (depth === 0 && isBetween(byte)) return at
  }
  return end
}

function closingQuote(buffer: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && buffer[at] !== quote) at += buffer[at] === backslash ? 2 : 1
  return at
}

function isBetween(byte: number): boolean {
  return byte <= space || byte === comma
}

function kindOf(first: number): JsonKind {
  switch (first) {
    case openBrace:
      return 'object'
    case openBracket:
      return 'array'
    case quote:
      return 'string'
    case 0x74: // t
      return 'true'
    case 0x66: // f
      return 'false'
    case 0x6e: // n
      return 'null'
    default:
      return 'number'
  }
}

const space = 0x20
const quote = 0x22
const comma = 0x2c
const openBracket = 0x5b
const backslash = 0x5c
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d
