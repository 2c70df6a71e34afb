/** The key of messages, computed once for each symbol: its bytes and their hash. */
export interface MessageKey {
  readonly bytes: Buffer
  /** murmur2 of the bytes, made positive: the partition is this modulo the number of partitions. */
  readonly hash: number
}

export function messageKey(text: string): MessageKey {
  const bytes = Buffer.from(text)
  return { bytes, hash: murmur2(bytes) & 0x7fffffff }
}

/** The partition to which the Java client and librdkafka's `murmur2` send this key. */
export function partitionOf(key: MessageKey, partitionCount: number): number {
  return key.hash % partitionCount
}

const seed = 0x9747b28c
const m = 0x5bd1e995
const r = 24

/** Kafka's own variant: org.apache.kafka.common.utils.Utils.murmur2. */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length
  let h = seed ^ length
  let at = 0
  for (; at + 4 <= length; at += 4) {
    let k =
      byteAt(bytes, at) | (byteAt(bytes, at + 1) << 8) | (byteAt(bytes, at + 2) << 16) | (byteAt(bytes, at + 3) << 24)
    k = Math.imul(k, m)
    k ^= k >>> r
    k = Math.imul(k, m)
    h = Math.imul(h, m) ^ k
  }
  const left = length - at
  if (left > 2) h ^= byteAt(bytes, at + 2) << 16
  if (left > 1) h ^= byteAt(bytes, at + 1) << 8
  if (left > 0) h = Math.imul(h ^ byteAt(bytes, at), m)
  h ^= h >>> 13
  h = Math.imul(h, m)
  return h ^ (h >>> 15)
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0
}
