import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KpiError } from '../../../../src/errors.ts'
import { endOf, nextOffsetOf } from '../../../../src/kafka/records/record-range.ts'
import { noEpoch } from '../../../../src/kpi/leader-epochs.ts'
import { propertyRuns } from '../../kpi/property-runs.ts'
import { batchBytes, marker, rangeOf, sealed } from './batch-bytes.ts'
import { visit } from './visited.ts'

const value = fc.option(fc.string({ maxLength: 40 }), { nil: null })

/** A batch, where it stands relative to the one before, and how it counts. */
const batchArbitrary = fc.record({
  gapBefore: fc.nat({ max: 4 }),
  gaps: fc.array(fc.nat({ max: 3 }), { maxLength: 6 }),
  gapAfter: fc.nat({ max: 4 }),
  value,
  compression: fc.constantFrom('none', 'gzip', 'snappy', 'lz4', 'zstd' as const),
  kind: fc.constantFrom('plain', 'aborted', 'committed', 'marker' as const),
})

function logOf(batches: readonly (typeof batchArbitrary extends fc.Arbitrary<infer T> ? T : never)[]) {
  const bytes: Buffer[] = []
  const messages = new Set<number>()
  const aborted: { producerId: number; firstOffset: number }[] = []
  let offset = 0
  for (const { gapBefore, gaps, gapAfter, value, compression, kind } of batches) {
    const baseOffset = offset + gapBefore
    const producerId = kind === 'aborted' ? 1 : 2
    if (kind === 'marker') {
      bytes.push(marker(baseOffset, 1, 'abort'))
      offset = baseOffset + 1
      continue
    }
    const deltas = gaps.map((gap, i) => gap + i + gaps.slice(0, i).reduce((sum, g) => sum + g, 0))
    const lastOffsetDelta = (deltas.at(-1) ?? 0) + gapAfter
    const records = deltas.map((offsetDelta) => ({ offsetDelta, value }))
    const transactional = kind !== 'plain'
    bytes.push(batchBytes({ baseOffset, lastOffsetDelta, compression, producerId, transactional, records }))
    if (kind === 'aborted') aborted.push({ producerId, firstOffset: baseOffset })
    else for (const delta of deltas) messages.add(baseOffset + delta)
    offset = baseOffset + lastOffsetDelta + 1
  }
  return { bytes, messages, aborted, end: offset }
}

describe('walking', () => {
  it('visits each offset once, from wherever, however the log is cut into answers', () => {
    fc.assert(
      fc.property(
        fc.array(batchArbitrary, { maxLength: 8 }),
        fc.nat({ max: 20 }),
        fc.infiniteStream(fc.nat({ max: 3 })),
        (batches, from, cuts) => {
          const log = logOf(batches)
          const seen: number[] = []
          let next = from
          let counted = 0
          for (let at = 0; at < log.bytes.length; ) {
            // An answer begins with the batch that holds the wanted offset, and ends anywhere.
            const count = (cuts.next().value ?? 0) + 1
            const rest = log.bytes[at + count]?.subarray(0, 40) ?? Buffer.alloc(0)
            const range = rangeOf(...log.bytes.slice(at, at + count), rest)
            const found = visit(range, next, log.aborted)
            expect(nextOffsetOf(range, next)).toBe(found.next)
            seen.push(...found.records.map(({ offset }) => offset))
            counted += found.records.length + found.withoutMessage
            expect(counted).toBe(found.next - from)
            next = found.next
            at += count
          }
          expect(seen).toEqual([...log.messages].filter((offset) => offset >= from))
          expect(next).toBe(Math.max(from, log.end))
        },
      ),
      propertyRuns,
    )
  })

  it('ends with KPI_KAFKA_CORRUPT or a whole count, whatever the bytes', () => {
    const corrupted = fc
      .tuple(
        fc.array(batchArbitrary, { minLength: 1, maxLength: 3 }),
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }),
        fc.boolean(),
      )
      .map(([batches, changes, isResealed]) => {
        const bytes = logOf(batches).bytes.map((batch) => Buffer.from(batch))
        for (const batch of bytes) {
          for (const [at, byte] of changes) batch[at % batch.length] = byte
          if (isResealed) sealed(batch)
        }
        return Buffer.concat(bytes)
      })
    const random = fc.uint8Array({ maxLength: 300 }).map((bytes) => {
      const buffer = Buffer.from(bytes)
      if (buffer.length > 16) buffer[16] = 2
      return buffer
    })
    fc.assert(
      fc.property(fc.oneof(corrupted, random), fc.nat({ max: 30 }), (buffer, from) => {
        const range = rangeOf(buffer)
        try {
          const found = visit(range, from)
          expect(found.records.length + found.withoutMessage).toBe(found.next - from)
          expect(nextOffsetOf(range, from)).toBe(found.next)
        } catch (error) {
          if (!(error instanceof KpiError && error.code === 'KPI_KAFKA_CORRUPT')) throw error
        }
      }),
      { ...propertyRuns, numRuns: propertyRuns.numRuns * 5 },
    )
  })
})

describe('endOf', () => {
  const batch = (baseOffset: number, leaderEpoch: number) =>
    batchBytes({ baseOffset, leaderEpoch, lastOffsetDelta: 9, records: [{ offsetDelta: 0 }] })
  const read = { leaderEpoch: 3, epochFrom: 0 }

  it('finds the epoch of the last whole batch, and from where on it was read', () => {
    const cut = batch(40, 9).subarray(0, 50)
    const range = rangeOf(Buffer.concat([batch(10, 3), batch(20, 5), batch(30, 5), cut]))
    const epoch = { leaderEpoch: 5, epochFrom: 20 }
    expect(endOf(range, 10, read)).toEqual({ next: 40, epoch, isLower: false })
    // A batch that begins before the offset asked for has been read in part.
    expect(endOf(range, 25, read)).toEqual({ next: 40, epoch: { leaderEpoch: 5, epochFrom: 25 }, isLower: false })
    expect(endOf(rangeOf(batch(10, 3)), 10, read)).toEqual({ next: 20, epoch: read, isLower: false })
    expect(endOf(rangeOf(Buffer.alloc(0)), 10, read)).toEqual({ next: 10, epoch: read, isLower: false })
  })

  it('notices a batch of an earlier leader behind one of a later leader', () => {
    expect(endOf(rangeOf(batch(10, 2)), 10, read).isLower).toBe(true)
    expect(endOf(rangeOf(Buffer.concat([batch(10, 5), batch(20, 4)])), 10, read).isLower).toBe(true)
    // What lies before the offset asked for says nothing.
    expect(endOf(rangeOf(Buffer.concat([batch(0, 2), batch(10, 3)])), 10, read).isLower).toBe(false)
  })

  it('knows nothing more where a batch has no epoch', () => {
    expect(endOf(rangeOf(batch(10, -1)), 10, read)).toEqual({ next: 20, epoch: noEpoch, isLower: false })
    const range = rangeOf(Buffer.concat([batch(10, -1), batch(20, 1)]))
    expect(endOf(range, 10, read)).toMatchObject({ epoch: { leaderEpoch: 1, epochFrom: 20 }, isLower: false })
  })
})
