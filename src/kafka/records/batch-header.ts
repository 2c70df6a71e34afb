import { crc32c } from '@node-rs/crc32'
import { corrupt, int64At } from './byte-reader.ts'

/*
 * The header of a record batch of format 2: the positions of its fields, and functions that read it. Format:
 * https://kafka.apache.org/documentation/#recordbatch
 */
export const lengthAt = 8
export const leaderEpochAt = 12
export const magicAt = 16
export const crcAt = 17
export const attributesAt = 21
export const lastOffsetDeltaAt = 23
export const baseTimestampAt = 27
export const maxTimestampAt = 35
export const producerIdAt = 43
export const producerEpochAt = 51
export const baseSequenceAt = 53
export const recordCountAt = 57
export const batchHeaderBytes = 61
/** Base offset and length field, which the length does not include. */
export const prefixBytes = 12

export const compressionMask = 0x07
export const logAppendTimeBit = 0x08
export const transactionalBit = 0x10
export const controlBit = 0x20

/** 0 for none; see decompress.ts for the others. */
export function compressionOf(buffer: Buffer, at: number): number {
  return buffer.readInt16BE(at + attributesAt) & compressionMask
}

/** @throws KpiError `KPI_KAFKA_CORRUPT` on impossible offsets. */
export function lastOffsetOf(buffer: Buffer, at: number): number {
  const baseOffset = int64At(buffer, at)
  const lastOffset = baseOffset + buffer.readInt32BE(at + lastOffsetDeltaAt)
  if (baseOffset < 0 || lastOffset < baseOffset || lastOffset >= Number.MAX_SAFE_INTEGER) {
    throw corrupt(`a record batch with the offsets ${baseOffset} to ${lastOffset}`)
  }
  return lastOffset
}

/**
 * The checksum covers everything from the attributes on, and not the base offset, which the broker assigns.
 *
 * @throws KpiError `KPI_KAFKA_CORRUPT` when it differs.
 */
export function compareChecksum(buffer: Buffer, at: number, end: number): void {
  const found = crc32c(buffer.subarray(at + attributesAt, end))
  if (found !== buffer.readUInt32BE(at + crcAt)) throw corrupt(`a wrong checksum at offset ${int64At(buffer, at)}`)
}
