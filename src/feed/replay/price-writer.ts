import type { MessageBatch } from '../../kafka/message-batch.ts'
import { copyShort, writeText } from '../text-writer.ts'
import { copyPlainNumber, jsonNumber } from './number-text.ts'
import { type FieldText, fieldNames, type PriceLine } from './price-line.ts'
import type { SymbolForm } from './symbol-forms.ts'
import { type TimestampReader, TimestampWriter } from './timestamp-reader.ts'

/** The names of all fields with their punctuation, and the longest form of a timestamp. */
const mostFixedBytes = 128
/** A number may get a zero in front, twice. */
const mostPerNumber = 2

const numbers = (['open', 'high', 'low', 'close', 'volume'] as const).map((field) => ({
  field,
  index: fieldNames.indexOf(field),
  start: Buffer.from(`,"${field}":`),
  isOptional: field !== 'close' && field !== 'volume',
}))

/** Writes the lines of a file as our messages, with the digits that stand there. */
export class PriceWriter {
  /** What is wrong with the line that `write` refused. */
  problem = ''
  readonly #timestamps = new TimestampWriter()

  /** More bytes the message does not need. */
  roomFor(line: PriceLine, { start }: SymbolForm): number {
    if (!line.message.isAbsent) return line.message.end - line.message.start
    let bytes = start.length + mostFixedBytes + lengthOf(line.timestamp)
    for (let i = 0; i < numbers.length; i++) bytes += lengthOf(textOf(line, i)) + mostPerNumber
    return bytes
  }

  /**
   * Writes the message at a place of the batch that has room for it.
   *
   * @param shiftedUs - The time to write instead of the recorded one; NaN for none.
   * @returns Where it ends; -1 for a line that no message can be made of.
   */
  write(batch: MessageBatch, at: number, price: PricedLine, shiftedUs: number): number {
    const { line, form, time } = price
    const { bytes } = batch
    if (!line.message.isAbsent) {
      line.message.bytes.copy(bytes, at, line.message.start, line.message.end)
      return at + line.message.end - line.message.start
    }
    let end = copyShort(form.start, 0, form.start.length, bytes, at)
    end = this.#writeTime(bytes, end, line.timestamp, time, shiftedUs)
    for (let i = 0; i < numbers.length; i++) {
      const text = textOf(line, i)
      const number = numbers[i]
      if (number === undefined || (text.isAbsent && number.isOptional)) continue
      end = copyShort(number.start, 0, number.start.length, bytes, end)
      end = text.isAbsent ? writeText(bytes, end, '0') : this.#writeNumber(bytes, end, text)
      if (end < 0) {
        this.problem = `its ${number.field} ${text.excerpt()} is no number`
        return -1
      }
    }
    bytes[end++] = 0x7d // }
    return end
  }

  #writeTime(bytes: Buffer, at: number, text: FieldText, { json, ending }: TimestampReader, shiftedUs: number): number {
    if (!Number.isNaN(shiftedUs)) return writeText(bytes, at, `"${this.#timestamps.text(shiftedUs)}"`)
    if (json !== '') return writeText(bytes, at, json)
    bytes[at] = 0x22
    let end = copyShort(text.bytes, text.start, text.end, bytes, at + 1)
    end = writeText(bytes, end, ending)
    bytes[end++] = 0x22
    return end
  }

  #writeNumber(bytes: Buffer, at: number, text: FieldText): number {
    const end = copyPlainNumber(text.bytes, text.start, text.end, bytes, at)
    if (end >= 0) return end
    const number = jsonNumber(text.toString())
    return number === undefined ? -1 : writeText(bytes, at, number)
  }
}

/** A line with what was found out about it. */
export interface PricedLine {
  readonly line: PriceLine
  readonly form: SymbolForm
  readonly time: TimestampReader
}

/** Of one of the numbers. */
function textOf(line: PriceLine, number: number): FieldText {
  return line.fields[numbers[number]?.index ?? -1] ?? line.close
}

function lengthOf(text: FieldText): number {
  return text.end - text.start
}
