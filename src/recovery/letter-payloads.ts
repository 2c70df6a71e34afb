import type { LogChunk, LogReader } from '../kafka/log/log-reader.ts'
import type { Letter } from '../store/dead-letters/dead-letters.ts'

/** The parts of a dead letter that identify where its value is. */
export type PayloadPlace = Pick<Letter, 'partition' | 'offset' | 'reason' | 'payload' | 'messageAt'>

/**
 * The values of rejected messages: from the table, or, where a flood left them out, from the log.
 * Dead letters in the order of the log share the records of one fetch.
 */
export class LetterPayloads {
  readonly #openLog: () => Promise<LogReader>
  #reader: LogReader | undefined
  #chunk: { partition: number; chunk: LogChunk } | undefined

  /** @param openLog - Called once, when a payload has to be read. */
  constructor(openLog: () => Promise<LogReader>) {
    this.#openLog = openLog
  }

  /**
   * @returns Null for a message without a value; undefined when neither the table nor the log has it any more: the log may hold
   *   another message at its offset.
   * @throws KpiError of Kafka, when it has to be asked.
   */
  async of(letter: PayloadPlace): Promise<Buffer | null | undefined> {
    if (letter.payload !== null) return letter.payload
    if (letter.reason === 'empty') return null
    const { partition, offset } = letter
    const records = await this.#recordsAround(partition, offset)
    const record = records.find((other) => other.offset === offset)
    // Where the log was cut and written again, the offset is another message's.
    const isSame = letter.messageAt === null || letter.messageAt.getTime() === record?.timestampMs
    return isSame ? record?.value : undefined
  }

  async #recordsAround(partition: number, offset: number): Promise<LogChunk['records']> {
    const known = this.#chunk
    if (known?.partition === partition && known.chunk.from <= offset && offset < known.chunk.next) {
      return known.chunk.records
    }
    this.#reader ??= await this.#openLog()
    const chunk = await this.#reader.chunk(partition, offset)
    this.#chunk = chunk && { partition, chunk }
    return chunk?.records ?? []
  }
}
