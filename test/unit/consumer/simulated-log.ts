import type { FetchedRecords, FetchHandler } from '../../../src/kafka/fetcher.ts'
import { MessageBatch } from '../../../src/kafka/message-batch.ts'
import { messageKey } from '../../../src/kafka/message-key.ts'
import { identifyBatch, RecordBatchWriter } from '../../../src/kafka/record-batch-writer.ts'
import { mergePartials, type PartialRow, partialOf } from '../../../src/kpi/partial.ts'
import type { SimulatedClock } from './simulated-clock.ts'

const windowUs = 300e6
const latenessUs = 120e6
const baseUs = 1_771_079_400_000_000

/** A message of the simulated log: a good one, or one that is rejected. */
export interface SimulatedMessage {
  readonly symbol: string
  /** Microseconds after the base. */
  readonly afterUs: number
  readonly close: number
  readonly isGood: boolean
}

/** Partitions full of messages from the start, each in a record batch of its own. */
export class SimulatedLog {
  readonly partitions: readonly (readonly SimulatedMessage[])[]
  readonly #batches: readonly (readonly Buffer[])[]

  constructor(random: () => number, options: { partitions: number; messages: number }) {
    this.partitions = Array.from({ length: options.partitions }, () =>
      Array.from({ length: Math.floor(random() * options.messages) }, () => randomMessage(random)),
    )
    this.#batches = this.partitions.map((messages) => messages.map(encode))
  }

  /** Up to so many messages from this offset on, as a fetch answers; undefined at the end. */
  read(partition: number, from: number, count: number): FetchedRecords | undefined {
    const batches = this.#batches[partition] ?? []
    if (from >= batches.length) return undefined
    const buffer = Buffer.concat(batches.slice(from, from + count))
    return {
      partition,
      range: { buffer, start: 0, end: buffer.length },
      from,
      next: Math.min(from + count, batches.length),
      aborted: [],
      endOffset: batches.length,
      logStartOffset: 0,
    }
  }

  /** What the rows must come to, by `SYMBOL START`. */
  rows(): Map<string, PartialRow> {
    const rows = new Map<string, PartialRow>()
    this.partitions.forEach((messages, partition) => {
      let watermarkUs = -1
      messages.forEach(({ symbol, afterUs, close, isGood }, offset) => {
        if (!isGood) return
        const timestampUs = baseUs + afterUs
        const windowStartUs = timestampUs - (timestampUs % windowUs)
        const price = BigInt(close) * 10n ** 8n
        const bar = { symbol, timestampUs, open: price, high: price, low: price, close: price, volume: 10n ** 8n }
        const isLate = watermarkUs > windowStartUs + windowUs + latenessUs
        mergeInto(rows, partialOf(bar, { windowStartUs, partition, offset, isLate }))
        watermarkUs = Math.max(watermarkUs, timestampUs)
      })
    })
    return rows
  }
}

export function mergeInto(rows: Map<string, PartialRow>, row: PartialRow): void {
  const key = `${row.symbol} ${row.windowStartUs}`
  const known = rows.get(key)
  rows.set(key, known ? mergePartials(known, row) : row)
}

function randomMessage(random: () => number): SimulatedMessage {
  return {
    symbol: ['A', 'B', 'C'][Math.floor(random() * 3)] ?? 'A',
    afterUs: Math.floor(random() * 4) * windowUs + Math.floor(random() * 3) * 1e6,
    close: 1 + Math.floor(random() * 100),
    isGood: random() > 0.1,
  }
}

const encoded = new Map<string, Buffer>()

/** A batch of one record. Its checksum leaves out the offset, so one made before serves again. */
function encode(message: SimulatedMessage, offset: number): Buffer {
  const { symbol, afterUs, close, isGood } = message
  const value = isGood
    ? `{"symbol":"${symbol}","timestamp":${(baseUs + afterUs) / 1000},"close":${close},"volume":1}`
    : '{"symbol":'
  const known = encoded.get(value) ?? encodeNew(value, symbol)
  encoded.set(value, known)
  const batch = Buffer.from(known)
  batch.writeBigInt64BE(BigInt(offset))
  return batch
}

function encodeNew(value: string, symbol: string): Buffer {
  const messages = new MessageBatch({ maxMessages: 1, maxBytes: 1024 })
  const bytes = Buffer.from(value)
  const at = messages.reserve(bytes.length)
  bytes.copy(messages.bytes, at)
  messages.commit(messageKey(symbol), at + bytes.length)
  const writer = new RecordBatchWriter(1024)
  writer.append(messages, 0, baseUs / 1000 + 3_600_000)
  const batch = writer.finish('none')
  identifyBatch(batch, { producerId: 1n, producerEpoch: 0, baseSequence: 0 })
  return batch
}

/** Reads as the real fetcher does: one request in flight, and answers to a reading that was replaced are dropped. */
export class SimulatedFetcher {
  readonly #log: SimulatedLog
  readonly #handler: FetchHandler
  readonly #clock: SimulatedClock
  readonly #readings = new Map<number, { offset: number }>()
  #stopped = false
  readonly ready = Promise.resolve()

  constructor(log: SimulatedLog, handler: FetchHandler, clock: SimulatedClock) {
    this.#log = log
    this.#handler = handler
    this.#clock = clock
    void this.#pump()
  }

  seek(partition: number, offset: number): void {
    this.#readings.set(partition, { offset })
  }

  remove(partition: number): void {
    this.#readings.delete(partition)
  }

  async stop(): Promise<void> {
    this.#stopped = true
  }

  async #pump(): Promise<void> {
    const { random } = this.#clock
    while (!this.#stopped) {
      const asked = [...this.#readings].filter(([partition]) => this.#handler.wants(partition))
      await this.#clock.sleep(1 + random() * 30)
      for (const [partition, reading] of asked) {
        if (this.#stopped || this.#readings.get(partition) !== reading) continue
        const fetched = this.#log.read(partition, reading.offset, 1 + Math.floor(random() * 6))
        if (fetched === undefined) continue
        reading.offset = fetched.next
        this.#handler.records([fetched])
      }
    }
  }
}
