import { type Connection, Writer } from '#kafka-protocol'
import type { EpochEnd } from '../../kpi/leader-epochs.ts'
import type { AbortedTransaction } from '../records/aborted-transactions.ts'
import { ByteReader } from '../records/byte-reader.ts'
import type { RecordRange } from '../records/record-range.ts'
import { type FetchBuffers, release } from './fetch-buffers.ts'

/**
 * Versions 13 to 17 name topics by id, so that a re-created topic is detected. Supported by brokers since Kafka 3.1.
 */
export const fetchApiKey = 1
export const fetchVersions = { minVersion: 13, maxVersion: 17 } as const

export interface FetchRequest {
  readonly topicId: string
  readonly maxWaitMs: number
  readonly minBytes: number
  readonly maxBytes: number
  readonly partitionMaxBytes: number
  /** `leaderEpoch` comes from the metadata; `lastFetchedEpoch` is that of the batch before `offset`, if known. */
  readonly partitions: readonly {
    readonly partition: number
    readonly offset: number
    readonly leaderEpoch: number
    readonly lastFetchedEpoch?: number
  }[]
  /** Also reads records of open and aborted transactions (read_uncommitted). */
  readonly isUncommitted?: boolean
}

export interface FetchedPartition {
  readonly partition: number
  /** Kafka's error code, 0 for none. */
  readonly errorCode: number
  readonly highWatermark: number
  /** The last stable offset: every transaction before it is committed or aborted, and read_committed reads up to it. */
  readonly lastStableOffset: number
  readonly logStartOffset: number
  readonly aborted: readonly AbortedTransaction[]
  readonly records: RecordRange
  /** Present when the log differs from the one that was read: see {@link EpochEnd}. */
  readonly diverging?: EpochEnd | undefined
}

export interface FetchResponse {
  readonly throttleTimeMs: number
  readonly errorCode: number
  readonly partitions: readonly FetchedPartition[]
}

const readUncommitted = 0
const readCommitted = 1
const divergingEpochTag = 0
const noSession = { id: 0, epoch: -1 }

/** Sends one Fetch request and parses the answer. The records stay in `memory` until the memory is reused. */
export function sendFetch(
  connection: Connection,
  version: number,
  request: FetchRequest,
  memory: FetchBuffers,
): Promise<FetchResponse> {
  return new Promise((resolve, reject) => {
    let pieces: readonly Uint8Array[] = []
    connection.send(
      fetchApiKey,
      version,
      () => writeFetch(version, request),
      (_correlationId, _apiKey, _version, { buffer, position }) => {
        pieces = buffer.buffers
        return parseFetch(memory.gather(pieces, buffer.length).subarray(position))
      },
      true,
      true,
      (error, response) => {
        // The connection does not use the pieces any more when it calls back.
        release(pieces)
        if (error) reject(error)
        else resolve(response as FetchResponse)
      },
    )
  })
}

/** Field order: https://kafka.apache.org/protocol#The_Messages_Fetch. */
function writeFetch(version: number, request: FetchRequest): Writer {
  const writer = Writer.create()
  if (version < 15) writer.appendInt32(-1) // replica id: a consumer
  writer
    .appendInt32(request.maxWaitMs)
    .appendInt32(request.minBytes)
    .appendInt32(request.maxBytes)
    .appendInt8(request.isUncommitted ? readUncommitted : readCommitted)
    .appendInt32(noSession.id)
    .appendInt32(noSession.epoch)
    .appendArray([request], (topics) => {
      topics.appendUUID(request.topicId).appendArray([...request.partitions], (w, p) => {
        w.appendInt32(p.partition)
          .appendInt32(p.leaderEpoch)
          .appendInt64(BigInt(p.offset))
          .appendInt32(p.lastFetchedEpoch ?? -1) // the broker compares it with its log (KIP-320)
          .appendInt64(-1n) // log start offset: used by followers only
          .appendInt32(request.partitionMaxBytes)
      })
    })
    .appendArray([], () => undefined) // forgotten topics: no fetch session is used
    .appendString('') // rack: always read from the leader
    .appendTaggedFields()
  return writer
}

/** Parses the answer of versions 13 to 17, after its header, without copying. */
export function parseFetch(buffer: Buffer): FetchResponse {
  const reader = new ByteReader(buffer)
  const throttleTimeMs = reader.int32()
  const errorCode = reader.int16()
  reader.int32() // session id
  const partitions: FetchedPartition[] = []
  for (let topics = reader.compactLength(); topics > 0; topics--) {
    reader.advance(16) // topic id: only one topic is requested
    for (let count = reader.compactLength(); count > 0; count--) partitions.push(parsePartition(reader))
    reader.skipTaggedFields()
  }
  return { throttleTimeMs, errorCode, partitions }
}

function parsePartition(reader: ByteReader): FetchedPartition {
  const partition = reader.int32()
  const errorCode = reader.int16()
  const highWatermark = reader.int64()
  const lastStableOffset = reader.int64()
  const logStartOffset = reader.int64()
  const aborted: AbortedTransaction[] = []
  for (let count = reader.compactLength(); count > 0; count--) {
    aborted.push({ producerId: reader.int64(), firstOffset: reader.int64() })
    reader.skipTaggedFields()
  }
  reader.int32() // preferred read replica: -1, since no rack is sent
  const length = Math.max(reader.compactLength(), 0)
  const start = reader.advance(length)
  const diverging = parseDivergingEpoch(reader)
  const records = { buffer: reader.buffer, start, end: start + length }
  return { partition, errorCode, highWatermark, lastStableOffset, logStartOffset, aborted, records, diverging }
}

/** Reads the diverging epoch from the tagged fields, all of which are optional; the others are skipped. */
function parseDivergingEpoch(reader: ByteReader): EpochEnd | undefined {
  let found: EpochEnd | undefined
  for (let count = reader.unsignedVarint(); count > 0; count--) {
    const tag = reader.unsignedVarint()
    const length = reader.unsignedVarint()
    const end = reader.advance(length) + length
    if (tag === divergingEpochTag) {
      const field = new ByteReader(reader.buffer, end - length, end)
      found = { epoch: field.int32(), endOffset: field.int64() }
    }
  }
  return found
}
