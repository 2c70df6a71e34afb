import { createHash } from 'node:crypto'
import { headerBytes, readHeaders } from '../../kafka/records/message-headers.ts'
import { copyShort, writeWhole } from '../text-writer.ts'

/**
 * One pass over one file, as the headers of its records name it: `replay: HASH-BYTES-START-PARTITIONS`.
 *
 * The file is known by a hash of its first bytes, unpacked: at most 64 KiB, and no more than there were when the pass
 * began. So it stays the same file when lines are appended, when it is renamed, packed or unpacked.
 */
export interface ReplayPass {
  readonly hash: string
  /** How many bytes the hash is of. */
  readonly hashedBytes: number
  /** When the pass began, in milliseconds since 1970: of two the later counts. */
  readonly startedAtMs: number
  /** What decided, together with the key, which line went where. */
  readonly partitionCount: number
}

/**
 * Where a line is, as the header of its record has it: `line: NUMBER@POSITION`, or `line: NUMBER.ELEMENT@POSITION` for a
 * further price of a line that holds several.
 */
export interface LinePlace {
  /** From 1. */
  readonly line: number
  /** Which of the line's prices it is, from 0. */
  readonly element: number
  /** Of its first byte, in the unpacked file. */
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

/** Whether a pass was over the file that begins so. */
export function isSameFile({ hash, hashedBytes }: ReplayPass, prefix: Buffer): boolean {
  return hashedBytes > 0 && hashedBytes <= prefix.length && hashOf(prefix.subarray(0, hashedBytes)) === hash
}

/** What the headers of a record, which begin at `valueEnd`, say; undefined for a record of something else. */
export function readMark(buffer: Buffer, valueEnd: number): { pass: string; place: LinePlace } | undefined {
  if (buffer[valueEnd] === noHeaders) return undefined
  const headers = readHeaders(buffer, valueEnd)
  const pass = headers.get(passHeader)
  const [, line, element = '0', position] = linePattern.exec(headers.get(lineHeader) ?? '') ?? []
  return pass === undefined || line === undefined
    ? undefined
    : { pass, place: { line: Number(line), element: Number(element), position: Number(position) } }
}

/** As the header names it. */
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

/** Two numbers of up to 16 digits, one of up to 7, a point, an @, and their length. */
const mostPlaceBytes = 42

/** Writes the headers of a line's record. */
export class MarkWriter {
  /** More it never writes. */
  readonly maxBytes: number
  /** Both headers, up to the length of the line's value: the same for all lines of a pass. */
  readonly start: Buffer

  /** @param pass - As {@link passText} has it. */
  constructor(pass: string) {
    this.start = headerBytes({ [passHeader]: pass, [lineHeader]: '' }).subarray(0, -1)
    this.maxBytes = this.start.length + mostPlaceBytes
  }

  /** @returns Where they end. */
  write(bytes: Buffer, at: number, { line, element, position }: LinePlace): number {
    const lengthAt = copyShort(this.start, 0, this.start.length, bytes, at)
    let end = writeWhole(bytes, lengthAt + 1, line)
    if (element > 0) {
      bytes[end++] = 0x2e // .
      end = writeWhole(bytes, end, element)
    }
    bytes[end++] = 0x40 // @
    end = writeWhole(bytes, end, position)
    // Zigzag, one byte.
    bytes[lengthAt] = 2 * (end - lengthAt - 1)
    return end
  }
}
