import type { MessageBatch } from '../../kafka/records/message-batch.ts'
import { copyShort, writeText } from '../text-writer.ts'
import { copyPlainNumber, isNoVolume, jsonNumber, type NumberSigns, numberProblem, plainNumber } from './number-text.ts'
import { type FieldText, fieldNames, type PriceLine } from './price-line.ts'
import type { SymbolForm } from './symbol-forms.ts'
import { TimestampWriter } from './time/iso-text.ts'
import type { TimestampReader } from './time/timestamp-reader.ts'

/** The names of all fields with their punctuation, and the longest timestamp without its fraction. */
const mostFixedBytes = 128
/**
 * Numbers of at most this length have at most eight fractional digits, and are far below the largest accepted number.
 */
const mostSureBytes = 10
/** How many bytes a number can grow by: up to two leading zeros are added. */
const mostPerNumber = 2

const numbers = (['open', 'high', 'low', 'close', 'volume'] as const).map((field) => ({
  field,
  index: fieldNames.indexOf(field),
  start: Buffer.from(`,"${field}":`),
  isOptional: field !== 'close' && field !== 'volume',
}))

/** Writes the lines of a file as messages in our format, and keeps their digits. */
export class PriceWriter {
  /** Why `write` rejected the line. */
  problem = ''
  /** Whether `write` read a word such as NaN as no volume. */
  isWithoutVolume = false
  /**
   * Whether the consumer certainly accepts the numbers written last: they are short plain decimals, and the volume is
   * not negative. Otherwise the message is checked with the consumer's decoder.
   */
  areNumbersSure = false
  readonly #signs: NumberSigns | undefined
  readonly #timestamps = new TimestampWriter()

  /**
   * @param signs - Separators in the numbers of the file. Undefined means a decimal point and no thousands separator.
   */
  constructor(signs?: NumberSigns) {
    this.#signs = signs
  }

  /** An upper bound of the size of the message in bytes. */
  roomFor(line: PriceLine, { start }: SymbolForm): number {
    if (!line.message.isAbsent) return line.message.end - line.message.start
    let bytes = start.length + mostFixedBytes + lengthOf(line.timestamp) + lengthOf(line.clock)
    for (let i = 0; i < numbers.length; i++) bytes += lengthOf(textOf(line, i)) + mostPerNumber
    return bytes
  }

  /**
   * Writes the message into the batch, which must have enough room.
   *
   * @param shiftedUs - The time to write instead of the recorded one; NaN for none.
   * @returns The end position; -1 if the line cannot be made into a message.
   */
  write(batch: MessageBatch, at: number, price: PricedLine, shiftedUs: number): number {
    const { line, form, time } = price
    const { bytes } = batch
    if (!line.message.isAbsent) {
      line.message.bytes.copy(bytes, at, line.message.start, line.message.end)
      this.areNumbersSure = line.isMessagePlain && areShort(line)
      return at + line.message.end - line.message.start
    }
    let end = copyShort(form.start, 0, form.start.length, bytes, at)
    end = this.#writeTime(bytes, end, line.timestamp, time, shiftedUs)
    this.areNumbersSure = areShort(line)
    for (let i = 0; i < numbers.length; i++) {
      const text = textOf(line, i)
      const number = numbers[i]
      if (number === undefined || (text.isAbsent && number.isOptional)) continue
      end = copyShort(number.start, 0, number.start.length, bytes, end)
      const numberAt = end
      end = text.isAbsent ? writeText(bytes, end, '0') : this.#writeNumber(bytes, end, text)
      if (end < 0 && number.field === 'volume' && isNoVolume(text.toString())) {
        this.isWithoutVolume = true
        end = writeText(bytes, numberAt, '0')
      }
      if (end < 0) {
        this.problem = numberProblem(number.field, text.excerpt(), text.toString(), this.#signs)
        return -1
      }
    }
    bytes[end++] = 0x7d // }
    return end
  }

  #writeTime(
    bytes: Buffer,
    at: number,
    text: FieldText,
    { json, ending, isNumber }: TimestampReader,
    shiftedUs: number,
  ): number {
    if (!Number.isNaN(shiftedUs)) return writeText(bytes, at, `"${this.#timestamps.text(shiftedUs)}"`)
    if (json !== '') return writeText(bytes, at, json)
    if (isNumber) return copyShort(text.bytes, text.start, text.end, bytes, at)
    bytes[at] = 0x22
    let end = copyShort(text.bytes, text.start, text.end, bytes, at + 1)
    end = writeText(bytes, end, ending)
    bytes[end++] = 0x22
    return end
  }

  #writeNumber(bytes: Buffer, at: number, text: FieldText): number {
    const signs = text.isJsonNumber ? undefined : this.#signs
    if (signs === undefined) {
      const end = copyPlainNumber(text.bytes, text.start, text.end, bytes, at)
      if (end >= 0) return end
    }
    this.areNumbersSure = false
    const plain = signs === undefined ? text.toString() : plainNumber(text.toString(), signs)
    const number = plain === undefined ? undefined : jsonNumber(plain)
    return number === undefined ? -1 : writeText(bytes, at, number)
  }
}

/** A line with its symbol and timestamp resolved. */
export interface PricedLine {
  readonly line: PriceLine
  readonly form: SymbolForm
  readonly time: TimestampReader
}

/** The text of one of the numbers. */
function textOf(line: PriceLine, number: number): FieldText {
  return line.fields[numbers[number]?.index ?? -1] ?? line.close
}

function areShort({ open, high, low, close, volume }: PriceLine): boolean {
  return (
    lengthOf(open) <= mostSureBytes &&
    lengthOf(high) <= mostSureBytes &&
    lengthOf(low) <= mostSureBytes &&
    lengthOf(close) <= mostSureBytes &&
    lengthOf(volume) <= mostSureBytes &&
    volume.bytes[volume.start] !== minus
  )
}

const minus = 0x2d

function lengthOf(text: FieldText): number {
  return text.end - text.start
}
