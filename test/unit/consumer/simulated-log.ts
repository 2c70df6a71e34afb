import type { FetchHandler } from '../../../src/kafka/fetch/fetch-handler.ts'
import type { FetchedRecords } from '../../../src/kafka/fetch/fetcher.ts'
import { leaderEpochAt } from '../../../src/kafka/records/batch-header.ts'
import { MessageBatch } from '../../../src/kafka/records/message-batch.ts'
import { messageKey } from '../../../src/kafka/records/message-key.ts'
import { identifyBatch, RecordBatchWriter } from '../../../src/kafka/records/record-batch-writer.ts'
import { endOf } from '../../../src/kafka/records/record-range.ts'
import {
  type Divergence,
  divergenceOf,
  noEpoch,
  type ReadEpoch,
  type ReadUpTo,
} from '../../../src/kpi/leader-epochs.ts'
import { mergePartials, type PartialRow, partialOf } from '../../../src/kpi/partial.ts'
import { pause } from '../../../src/runtime/abort.ts'
import type { SimulatedClock } from '../../simulated-clock.ts'

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

/** What one leader after the other wrote to a partition. */
interface LogVersion {
  readonly messages: readonly SimulatedMessage[]
  readonly batches: readonly Buffer[]
  /** Of each batch. */
  readonly epochs: readonly number[]
}

/**
 * Partitions full of messages from the start, each in a record batch of its own. A log may be cut and written again, under
 * a new leader epoch, as after an unclean leader election.
 */
export class SimulatedLog {
  /** By partition, and then by epoch: the log as it was when the epoch ended, the last one as it is. */
  readonly #versions: LogVersion[][]
  readonly #random: () => number
  readonly #maxMessages: number

  constructor(random: () => number, options: { partitions: number; messages: number }) {
    this.#random = random
    this.#maxMessages = options.messages
    const empty: LogVersion = { messages: [], batches: [], epochs: [] }
    this.#versions = Array.from({ length: options.partitions }, () => [this.#append(empty, 0, options.messages)])
  }

  get partitions(): readonly (readonly SimulatedMessage[])[] {
    return this.#versions.map((_, partition) => this.#current(partition).messages)
  }

  /** The last messages are lost, and others take their offsets. */
  cut(partition: number): void {
    const { messages, batches, epochs } = this.#current(partition)
    const at = Math.floor(this.#random() * (messages.length + 1))
    const left = { messages: messages.slice(0, at), batches: batches.slice(0, at), epochs: epochs.slice(0, at) }
    const versions = this.#versions[partition] ?? []
    versions.push(this.#append(left, versions.length, this.#maxMessages))
  }

  /** Where the log stops being the one that was read; undefined where it is that one. */
  divergence(read: ReadUpTo): Divergence | undefined {
    const { epochs } = this.#current(read.partition)
    // As a leader answers: the highest epoch up to the one asked for, and where the next one begins.
    const above = epochs.findIndex((epoch) => epoch > read.leaderEpoch)
    const endOffset = above < 0 ? epochs.length : above
    const latest = (this.#versions[read.partition]?.length ?? 0) - 1
    const epoch = read.leaderEpoch === latest ? latest : (epochs[endOffset - 1] ?? read.leaderEpoch)
    return divergenceOf(read, { epoch, endOffset })
  }

  /** The messages that were read up to this position. */
  readUpTo({ partition, nextOffset, leaderEpoch }: ReadUpTo): readonly SimulatedMessage[] {
    if (nextOffset === 0) return []
    return this.#versions[partition]?.[leaderEpoch]?.messages.slice(0, nextOffset) ?? []
  }

  /** Up to so many messages from this offset on, as a fetch answers; undefined at the end. */
  read(partition: number, from: number, count: number): FetchedRecords | undefined {
    const { batches } = this.#current(partition)
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

  #current(partition: number): LogVersion {
    return this.#versions[partition]?.at(-1) ?? { messages: [], batches: [], epochs: [] }
  }

  #append({ messages, batches, epochs }: LogVersion, epoch: number, max: number): LogVersion {
    const more = Array.from({ length: Math.floor(this.#random() * max) }, () => randomMessage(this.#random))
    return {
      messages: [...messages, ...more],
      batches: [...batches, ...more.map((message, index) => encode(message, messages.length + index, epoch))],
      epochs: [...epochs, ...more.map(() => epoch)],
    }
  }
}

/** Messages of one partition, in the order in which they were counted. */
export interface CountedSegment {
  readonly from: number
  readonly messages: readonly SimulatedMessage[]
}

/** What the rows must come to, by `SYMBOL START`. @param counted - By partition. */
export function rowsOf(counted: readonly (readonly CountedSegment[])[]): Map<string, PartialRow> {
  const rows = new Map<string, PartialRow>()
  counted.forEach((segments, partition) => {
    let watermarkUs = -1
    for (const { from, messages } of segments) {
      messages.forEach(({ symbol, afterUs, close, isGood }, index) => {
        if (!isGood) return
        const timestampUs = baseUs + afterUs
        const windowStartUs = timestampUs - (timestampUs % windowUs)
        const price = BigInt(close) * 10n ** 8n
        const bar = { symbol, timestampUs, open: price, high: price, low: price, close: price, volume: 10n ** 8n }
        const isLate = watermarkUs > windowStartUs + windowUs + latenessUs
        mergeInto(rows, partialOf(bar, { windowStartUs, partition, offset: from + index, isLate }))
        watermarkUs = Math.max(watermarkUs, timestampUs)
      })
    }
  })
  return rows
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

/** A batch of one record. Its checksum leaves out offset and leader epoch, so one made before serves again. */
function encode(message: SimulatedMessage, offset: number, epoch: number): Buffer {
  const { symbol, afterUs, close, isGood } = message
  const value = isGood
    ? `{"symbol":"${symbol}","timestamp":${(baseUs + afterUs) / 1000},"close":${close},"volume":1}`
    : '{"symbol":'
  const known = encoded.get(value) ?? encodeNew(value, symbol)
  encoded.set(value, known)
  const batch = Buffer.from(known)
  batch.writeBigInt64BE(BigInt(offset))
  batch.writeInt32BE(epoch, leaderEpochAt)
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
  readonly #readings = new Map<number, { offset: number; epoch: ReadEpoch }>()
  #stopped = false
  readonly ready = Promise.resolve()

  constructor(log: SimulatedLog, handler: FetchHandler, clock: SimulatedClock) {
    this.#log = log
    this.#handler = handler
    this.#clock = clock
    void this.#pump()
  }

  seek(partition: number, offset: number, epoch = noEpoch): void {
    this.#readings.set(partition, { offset, epoch })
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
      await pause(1 + random() * 30, undefined, this.#clock)
      for (const [partition, reading] of asked) {
        if (this.#stopped || this.#readings.get(partition) !== reading) continue
        const divergence = this.#log.divergence({ partition, nextOffset: reading.offset, ...reading.epoch })
        if (divergence) {
          this.#readings.delete(partition)
          const endOffset = this.#log.partitions[partition]?.length ?? 0
          const { agreesTo } = divergence
          this.#handler.outOfRange(partition, reading.offset, { startOffset: 0, endOffset, agreesTo })
          continue
        }
        const fetched = this.#log.read(partition, reading.offset, 1 + Math.floor(random() * 6))
        if (fetched === undefined) continue
        reading.epoch = endOf(fetched.range, reading.offset, reading.epoch).epoch
        reading.offset = fetched.next
        this.#handler.records([fetched])
      }
    }
  }
}
