import { noEpoch, type ReadEpoch } from '../../kpi/leader-epochs.ts'
import {
  attributesAt,
  baseSequenceAt,
  batchHeaderBytes,
  compareChecksum,
  lastOffsetOf,
  leaderEpochAt,
  lengthAt,
  logAppendTimeBit,
  magicAt,
  prefixBytes,
  producerEpochAt,
  producerIdAt,
} from './batch-header.ts'
import { corrupt, int64At } from './byte-reader.ts'

/** Record batches of one partition, as received in an answer; the last one may be incomplete. */
export interface RecordRange {
  readonly buffer: Buffer
  readonly start: number
  readonly end: number
  /** Whether {@link verified} has already compared the checksums. */
  readonly isVerified?: boolean
}

/** The end of the batch at `at`; -1 when the range does not contain it completely (brokers cut answers anywhere). */
export function wholeBatchEnd({ buffer, end }: RecordRange, at: number): number {
  if (at + magicAt >= end) return -1
  // In every batch format the format number is at this position.
  if (buffer[at + magicAt] !== 2) throw corrupt(`a record batch of format ${buffer[at + magicAt]}`)
  const length = buffer.readInt32BE(at + lengthAt)
  if (length < batchHeaderBytes - prefixBytes) throw corrupt('a record batch shorter than its header')
  const batchEnd = at + prefixBytes + length
  return batchEnd <= end ? batchEnd : -1
}

/**
 * The offset after the last whole batch of the range; `from` when there is none.
 *
 * @throws KpiError `KPI_KAFKA_CORRUPT` on an impossible batch header. `walkRecords` checks the rest.
 */
export function nextOffsetOf(range: RecordRange, from: number): number {
  let next = from
  for (let at = range.start; ; ) {
    const end = wholeBatchEnd(range, at)
    if (end < 0) return next
    next = Math.max(next, lastOffsetOf(range.buffer, at) + 1)
    at = end
  }
}

/** Whether the first batch has timestamps from the broker's clock rather than from its producer. */
export function isAppendTime(range: RecordRange): boolean {
  if (wholeBatchEnd(range, range.start) < 0) return false
  return (range.buffer.readInt16BE(range.start + attributesAt) & logAppendTimeBit) !== 0
}

/**
 * Like {@link nextOffsetOf}, with the leader epoch of the last whole batch.
 *
 * @param epoch - The epoch of the last batch before `from`.
 * @returns `isLower` when a batch has a lower epoch than an earlier one: the log differs from the one that was read
 *   before.
 */
export function endOf(
  range: RecordRange,
  from: number,
  epoch: ReadEpoch,
): { readonly next: number; readonly epoch: ReadEpoch; readonly isLower: boolean } {
  let next = from
  let { leaderEpoch, epochFrom } = epoch
  let isLower = false
  for (let at = range.start, end = wholeBatchEnd(range, at); end >= 0; at = end, end = wholeBatchEnd(range, at)) {
    const last = lastOffsetOf(range.buffer, at)
    if (last < next) continue
    const found = range.buffer.readInt32BE(at + leaderEpochAt)
    if (found !== leaderEpoch) {
      if (found >= 0 && found < leaderEpoch) isLower = true
      leaderEpoch = found
      epochFrom = next
    }
    next = last + 1
  }
  return { next, epoch: leaderEpoch < 0 ? noEpoch : { leaderEpoch, epochFrom }, isLower }
}

/**
 * Compares the checksums of the range's whole batches, and returns the range marked as verified.
 *
 * @throws KpiError `KPI_KAFKA_CORRUPT` on a wrong checksum.
 */
export function verified(range: RecordRange): RecordRange {
  for (let at = range.start, end = wholeBatchEnd(range, at); end >= 0; at = end, end = wholeBatchEnd(range, at)) {
    compareChecksum(range.buffer, at, end)
  }
  return { ...range, isVerified: true }
}

/** The producer id, epoch and sequence number of the record at an offset; undefined when it has none. */
export function producerAt(
  range: RecordRange,
  offset: number,
): { producerId: bigint; epoch: number; sequence: number } | undefined {
  const { buffer } = range
  for (let at = range.start, end = wholeBatchEnd(range, at); end >= 0; at = end, end = wholeBatchEnd(range, at)) {
    if (lastOffsetOf(buffer, at) < offset) continue
    const delta = offset - int64At(buffer, at)
    const baseSequence = buffer.readInt32BE(at + baseSequenceAt)
    if (delta < 0 || baseSequence < 0) return undefined
    const producerId = buffer.readBigInt64BE(at + producerIdAt)
    const epoch = buffer.readInt16BE(at + producerEpochAt)
    return { producerId, epoch, sequence: (baseSequence + delta) % 2 ** 31 }
  }
  return undefined
}
