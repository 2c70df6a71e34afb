import { ByteReader, corrupt } from '../records/byte-reader.ts'
import type { TopicPartitions } from './range-assignment.ts'

/**
 * The two messages that members of a classic group exchange through the coordinator, which does not parse them: what a
 * member subscribes to, and what the leader assigns to it. Both have a version, and later versions only add fields at
 * the end. Source: Kafka's ConsumerProtocolSubscription.json and ConsumerProtocolAssignment.json.
 */
const version = 0
const nullBytes = -1

/** Version 0: eager rebalances keep no partitions, so there are no owned partitions to send. */
export function encodeSubscription(topics: readonly string[]): Buffer {
  return Buffer.concat([int16(version), int32(topics.length), ...topics.map(string), int32(nullBytes)])
}

/** The topics of a subscription of any version. */
export function decodeSubscription(metadata: Buffer): string[] {
  const reader = new ByteReader(metadata)
  reader.int16()
  return array(reader, () => readString(reader))
}

export function encodeAssignment(assignment: TopicPartitions): Buffer {
  const topics = [...assignment].map(([topic, partitions]) =>
    Buffer.concat([string(topic), int32(partitions.length), ...partitions.map(int32)]),
  )
  return Buffer.concat([int16(version), int32(topics.length), ...topics, int32(nullBytes)])
}

/**
 * Decodes an assignment of any version. An empty buffer, which a leader may send to members it does not know, is an
 * empty assignment.
 */
export function decodeAssignment(assignment: Buffer): Map<string, number[]> {
  if (assignment.length === 0) return new Map()
  const reader = new ByteReader(assignment)
  reader.int16()
  return new Map(array(reader, () => [readString(reader), array(reader, () => reader.int32())]))
}

function array<T>(reader: ByteReader, read: () => T): T[] {
  const items: T[] = []
  for (let count = reader.int32(); count > 0; count--) items.push(read())
  return items
}

function readString(reader: ByteReader): string {
  const length = reader.int16()
  if (length < 0) throw corrupt('a group member without the name of its topic')
  const start = reader.advance(length)
  return reader.buffer.toString('utf8', start, reader.position)
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function string(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8')
  return Buffer.concat([int16(bytes.length), bytes])
}
