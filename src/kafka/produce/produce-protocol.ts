import { type Connection, Writer } from '#kafka-protocol'
import { ByteReader } from '../records/byte-reader.ts'

/** Versions 9 to 11 have the same request format; brokers support version 9 since Kafka 2.8. */
export const produceApiKey = 0
export const produceVersions = { minVersion: 9, maxVersion: 11 } as const

export interface ProduceRequest {
  readonly topic: string
  /** How long the leader may wait for its followers. */
  readonly timeoutMs: number
  /** One record batch for each partition. */
  readonly batches: readonly { partition: number; records: Buffer }[]
}

export interface ProducedPartition {
  readonly partition: number
  /** Kafka's error code, 0 for none. */
  readonly errorCode: number
  /** -1 when the broker had already written the batch and no longer knows where. */
  readonly baseOffset: number
}

const acksOfAll = -1

/** Sends one Produce request and reads its answer. Rejects only when there is no answer. */
export function sendProduce(
  connection: Connection,
  version: number,
  request: ProduceRequest,
): Promise<ProducedPartition[]> {
  return new Promise((resolve, reject) => {
    connection.send(
      produceApiKey,
      version,
      () => writeProduce(request),
      (_correlationId, _apiKey, _version, reader) => parseProduce(reader.buffer.buffer.subarray(reader.position)),
      true,
      true,
      (error, response) => (error ? reject(error) : resolve(response as ProducedPartition[])),
    )
  })
}

/** Field order: https://kafka.apache.org/protocol#The_Messages_Produce. */
function writeProduce(request: ProduceRequest): Writer {
  return Writer.create()
    .appendString(null) // transactional id
    .appendInt16(acksOfAll)
    .appendInt32(request.timeoutMs)
    .appendArray([request], (topics) => {
      topics.appendString(request.topic).appendArray([...request.batches], (w, { partition, records }) => {
        w.appendInt32(partition)
          .appendUnsignedVarInt(records.length + 1)
          .append(records)
      })
    })
    .appendTaggedFields()
}

/** Parses the answer of versions 9 to 11, after its header. */
export function parseProduce(buffer: Buffer): ProducedPartition[] {
  const reader = new ByteReader(buffer)
  const partitions: ProducedPartition[] = []
  for (let topics = reader.compactLength(); topics > 0; topics--) {
    reader.advance(Math.max(reader.compactLength(), 0)) // the topic: each request is for one
    for (let count = reader.compactLength(); count > 0; count--) partitions.push(parsePartition(reader))
    reader.skipTaggedFields()
  }
  return partitions
}

function parsePartition(reader: ByteReader): ProducedPartition {
  const partition = reader.int32()
  const errorCode = reader.int16()
  const baseOffset = reader.int64()
  reader.advance(16) // log append time, log start offset
  for (let count = reader.compactLength(); count > 0; count--) {
    reader.int32()
    reader.advance(Math.max(reader.compactLength(), 0))
    reader.skipTaggedFields()
  }
  reader.advance(Math.max(reader.compactLength(), 0)) // error message
  reader.skipTaggedFields() // the current leader: read from the metadata instead
  return { partition, errorCode, baseOffset }
}
