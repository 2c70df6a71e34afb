import { type Connection, Writer } from '#kafka-protocol'
import type { EpochEnd } from '../../kpi/leader-epochs.ts'
import type { AbortedTransaction } from '../records/aborted-transactions.ts'
import { ByteReader } from '../records/byte-reader.ts'
import type { RecordRange } from '../records/record-range.ts'
import { type FetchBuffers, release } from './fetch-buffers.ts'

/** Versions 13 to 17 name topics by id, which is how a re-created topic shows. Brokers since Kafka 3.1 have them. */
export const fetchApiKey = 1
export const fetchVersions = { minVersion: 13, maxVersion: 17 } as const

export interface FetchRequest {
  readonly topicId: string
  readonly maxWaitMs: number
  readonly minBytes: number
  readonly maxBytes: number
  readonly partitionMaxBytes: number
  /** `leaderEpoch` as the metadata has it; `lastFetchedEpoch` of the batch before `offset`, where it is known. */
  readonly partitions: readonly {
    readonly partition: number
    readonly offset: number
    readonly leaderEpoch: number
    readonly lastFetchedEpoch?: number
  }[]
  /** Also what is behind a transaction that is still open, and what transactions wrote that were aborted. */
  readonly isUncommitted?: boolean
}

export interface FetchedPartition {
  readonly partition: number
  /** Kafka's error code, 0 for none. */
  readonly errorCode: number
  readonly highWatermark: number
  /** Up to here, every transaction is decided; what read_committed can see ends here. */
  readonly lastStableOffset: number
  readonly logStartOffset: number
  readonly aborted: readonly AbortedTransaction[]
  readonly records: RecordRange
  /** There when the log is not the one that was read: see {@link EpochEnd}. */
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

/** Sends one Fetch and parses the answer's frame; the records stay in the memory, until it is used again. */
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
        // The connection has let go of them before it calls.
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
          .appendInt32(p.lastFetchedEpoch ?? -1) // the broker compares it with its log
          .appendInt64(-1n) // log start offset: for followers
          .appendInt32(request.partitionMaxBytes)
      })
    })
    .appendArray([], () => undefined) // forgotten topics: we keep no session
    .appendString('') // rack: read from the leader
    .appendTaggedFields()
  return writer
}

/** The answer of versions 13 to 17, after its header. Nothing is copied. */
export function parseFetch(buffer: Buffer): FetchResponse {
  const reader = new ByteReader(buffer)
  const throttleTimeMs = reader.int32()
  const errorCode = reader.int16()
  reader.int32() // session id
  const partitions: FetchedPartition[] = []
  for (let topics = reader.compactLength(); topics > 0; topics--) {
    reader.advance(16) // topic id: we ask for one
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
  reader.int32() // preferred read replica: -1, since we name no rack
  const length = Math.max(reader.compactLength(), 0)
  const start = reader.advance(length)
  const diverging = parseDivergingEpoch(reader)
  const records = { buffer: reader.buffer, start, end: start + length }
  return { partition, errorCode, highWatermark, lastStableOffset, logStartOffset, aborted, records, diverging }
}

/** Of the tagged fields, which all are optional, the one that matters here. */
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
