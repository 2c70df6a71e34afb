import { createHash } from 'node:crypto'
import { headerBytes, readHeaders } from '../../kafka/records/message-headers.ts'
import { copyShort, writeWhole } from '../text-writer.ts'

/**
 * One pass over a file, as the headers of its records store it: `replay: HASH-BYTES-START-PARTITIONS`.
 *
 * The file is identified by a hash of its first unpacked bytes: at most 64 KiB, and no more than the file had when
 * the pass began. So the file is still recognised after lines were appended, or after it was renamed, packed or
 * unpacked.
 */
export interface ReplayPass {
  readonly hash: string
  /** How many bytes were hashed. */
  readonly hashedBytes: number
  /** When the pass began, in milliseconds since 1970. The latest pass counts. */
  readonly startedAtMs: number
  /** The number of partitions. Together with the key it decides the partition of each line. */
  readonly partitionCount: number
}

/**
 * Where a line is, as the header of its record stores it: `line: NUMBER@POSITION`, or `line: NUMBER.ELEMENT@POSITION`
 * for the second and later prices of a line that holds several.
 */
export interface LinePlace {
  /** From 1. */
  readonly line: number
  /** Which of the line's prices it is, from 0. */
  readonly element: number
  /** Position of its first byte in the unpacked file. */
  readonly position: number
}

const passHeader = 'replay'
const lineHeader = 'line'
const base = 36
const passPattern = /^([0-9a-f]{16})-([0-9a-z]{1,8})-([0-9a-z]{1,10})-(\d{1,6})$/
const linePattern = /^(\d{1,16})(?:\.(\d{1,7}))?@(\d{1,16})$/
const noHeaders = 0

export function newPass(prefix: Buffer, startedAtMs: number, partitionCount: number): ReplayPass {
  return { hash: hashOf(prefix), hashedBytes: prefix.length, startedAtMs, partitionCount }
}

/** Whether a pass read a file that begins with `prefix`. */
export function isSameFile({ hash, hashedBytes }: ReplayPass, prefix: Buffer): boolean {
  return hashedBytes > 0 && hashedBytes <= prefix.length && hashOf(prefix.subarray(0, hashedBytes)) === hash
}

/** Reads the headers of a record, which begin at `valueEnd`; undefined if a replay did not write the record. */
export function readMark(buffer: Buffer, valueEnd: number): { pass: string; place: LinePlace } | undefined {
  if (buffer[valueEnd] === noHeaders) return undefined
  const headers = readHeaders(buffer, valueEnd)
  const pass = headers.get(passHeader)
  const [, line, element = '0', position] = linePattern.exec(headers.get(lineHeader) ?? '') ?? []
  return pass === undefined || line === undefined
    ? undefined
    : { pass, place: { line: Number(line), element: Number(element), position: Number(position) } }
}

/** The text of the header. */
export function passText({ hash, hashedBytes, startedAtMs, partitionCount }: ReplayPass): string {
  return [hash, hashedBytes.toString(base), startedAtMs.toString(base), partitionCount].join('-')
}

export function readPass(text: string): ReplayPass | undefined {
  const [, hash, bytes = '', start = '', partitions] = passPattern.exec(text) ?? []
  if (hash === undefined) return undefined
  return {
    hash,
    hashedBytes: Number.parseInt(bytes, base),
    startedAtMs: Number.parseInt(start, base),
    partitionCount: Number(partitions),
  }
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16)
}

/** Two numbers of up to 16 digits, one of up to 7, a point, an @, and the length bytes. */
const mostPlaceBytes = 42

/** Writes the headers of the record of a line. */
export class MarkWriter {
  /** The most bytes that it writes. */
  readonly maxBytes: number
  /** Both headers, up to the length of the line's value. These bytes are the same for all lines of a pass. */
  readonly start: Buffer

  /** @param pass - The result of {@link passText}. */
  constructor(pass: string) {
    this.start = headerBytes({ [passHeader]: pass, [lineHeader]: '' }).subarray(0, -1)
    this.maxBytes = this.start.length + mostPlaceBytes
  }

  /** @returns The end position of the headers. */
  write(bytes: Buffer, at: number, { line, element, position }: LinePlace): number {
    const lengthAt = copyShort(this.start, 0, this.start.length, bytes, at)
    let end = writeWhole(bytes, lengthAt + 1, line)
    if (element > 0) {
      bytes[end++] = 0x2e // .
      end = writeWhole(bytes, end, element)
    }
    bytes[end++] = 0x40 // @
    end = writeWhole(bytes, end, position)
    // The length as a zigzag varint of one byte.
    bytes[lengthAt] = 2 * (end - lengthAt - 1)
    return end
  }
}
