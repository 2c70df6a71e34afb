import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Reader, type RecordsBatch, readRecordsBatches } from '#kafka-protocol'

/** What a partition's log holds at an offset. */
export interface LogEntry {
  readonly offset: number
  /** Of the leader that wrote it. */
  readonly epoch: number
  /** `open`: of a transaction that has not ended yet. */
  readonly kind: 'message' | 'marker' | 'aborted' | 'open'
  readonly value: string
  /** Whose message it is, where the writer said so. */
  readonly name: string | undefined
}

/** The header by which a writer names a message. */
export const nameHeader = 'name'

const transactionalBit = 0x10
const controlBit = 0x20
const segmentName = /^(\d{20})\.log$/

/**
 * Reads a partition's log out of a broker's own files, running or not: nothing here is shared with the workers' or the
 * producer's code, and what a broker that is away had taken in can be seen before it throws it away.
 *
 * @param from - An offset at which no transaction was open.
 */
export function readPartitionLog(logFolder: string, topic: string, partition: number, from: number): LogEntry[] {
  const folder = join(logFolder, `${topic}-${partition}`)
  const segments = readdirSync(folder)
    .filter((name) => segmentName.test(name))
    .sort()
  const isNeeded = (_name: string, index: number) => {
    const next = segments[index + 1]
    return next === undefined || Number(next.slice(0, 20)) > from
  }
  const batches = segments.filter(isNeeded).flatMap((name) => batchesOf(readFileSync(join(folder, name)), from))
  return entriesOf(batches).filter(({ offset }) => offset >= from)
}

const lengthAt = 8
const headBytes = 12
const lastOffsetDeltaAt = 23

/** From where the first wanted offset is; what stands at the end of the file may not be whole yet. */
function batchesOf(bytes: Buffer, from: number): RecordsBatch[] {
  let at = 0
  while (at + lastOffsetDeltaAt + 4 <= bytes.length) {
    const last = Number(bytes.readBigInt64BE(at)) + bytes.readInt32BE(at + lastOffsetDeltaAt)
    if (last >= from) break
    at += headBytes + bytes.readInt32BE(at + lengthAt)
  }
  return readRecordsBatches(Reader.from(bytes.subarray(at)))
}

/** Which messages count says the marker behind them: from the last to the first. */
function entriesOf(batches: readonly RecordsBatch[]): LogEntry[] {
  const entries: LogEntry[] = []
  const outcomes = new Map<bigint, 'message' | 'aborted'>()
  for (const batch of [...batches].reverse()) {
    const isMarker = (batch.attributes & controlBit) !== 0
    // A control record's key is version and type, two bytes each; type 0 aborts.
    if (isMarker) {
      outcomes.set(batch.producerId, batch.records[0]?.key?.readInt16BE(2) === 0 ? 'aborted' : 'message')
    }
    const isTransactional = (batch.attributes & transactionalBit) !== 0
    const outcome = isTransactional ? (outcomes.get(batch.producerId) ?? 'open') : 'message'
    for (const record of [...batch.records].reverse()) {
      const name = record.headers.find(([header]) => header?.toString() === nameHeader)?.[1]
      entries.push({
        offset: Number(batch.firstOffset) + record.offsetDelta,
        epoch: batch.partitionLeaderEpoch,
        kind: isMarker ? 'marker' : outcome,
        value: record.value?.toString() ?? '',
        name: name?.toString(),
      })
    }
  }
  return entries.reverse()
}
