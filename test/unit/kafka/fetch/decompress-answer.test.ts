import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decompressedPieces } from '../../../../src/kafka/fetch/decompress-answer.ts'
import { FetchBuffers } from '../../../../src/kafka/fetch/fetch-buffers.ts'
import type { FetchedRecords } from '../../../../src/kafka/fetch/partition-fetch.ts'
import { nextOffsetOf, verified } from '../../../../src/kafka/records/record-range.ts'
import { propertyRuns } from '../../kpi/property-runs.ts'
import { type BatchSpec, batchBytes, marker, rangeOf } from '../records/batch-bytes.ts'
import { type Visited, visit } from '../records/visited.ts'

type Compression = NonNullable<BatchSpec['compression']>

function fetchedOf(partition: number, batches: readonly Buffer[], aborted: FetchedRecords['aborted'] = []) {
  const range = verified(rangeOf(...batches))
  const next = nextOffsetOf(range, 0)
  return { partition, range, from: 0, next, aborted, endOffset: next, logStartOffset: 0 } satisfies FetchedRecords
}

function batch(baseOffset: number, compression: Compression, valueBytes: number): Buffer {
  const records = [0, 1, 2].map((offsetDelta) => ({
    offsetDelta,
    key: `S${offsetDelta}`,
    value: `${baseOffset + offsetDelta}`.padEnd(valueBytes, 'x'),
  }))
  return batchBytes({ baseOffset, compression, records })
}

/** What a worker sees of the pieces, each partition's one after the other. */
function seen(answer: readonly FetchedRecords[], memory = new FetchBuffers()): Map<number, Visited> {
  const found = new Map<number, Visited>()
  for (const piece of decompressedPieces(answer, memory)) {
    for (const { partition, range, from, next, aborted } of piece) {
      const before = found.get(partition) ?? { records: [], withoutMessage: 0, next: 0 }
      expect(from, 'a piece continues the one before').toBe(before.next)
      const visited = visit(range, from, aborted)
      expect(visited.next).toBe(next)
      found.set(partition, {
        records: [...before.records, ...visited.records],
        withoutMessage: before.withoutMessage + visited.withoutMessage,
        next,
      })
    }
  }
  return found
}

function expectSameAsPacked(answer: readonly FetchedRecords[]): void {
  const expected = answer.map(
    ({ partition, range, from, aborted }) => [partition, visit(range, from, aborted)] as const,
  )
  expect(seen(answer)).toEqual(new Map(expected))
}

it('says the same as the packed batches, in whatever they are packed', () => {
  const kinds = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
  const partition = fc.array(fc.tuple(fc.constantFrom(...kinds), fc.constantFrom(3, 300, 10_000)), { maxLength: 6 })
  const property = fc.property(fc.array(partition, { maxLength: 4 }), (partitions) => {
    expectSameAsPacked(
      partitions.map((batches, number) => {
        return fetchedOf(
          number,
          batches.map(([compression, bytes], i) => batch(i * 3, compression, bytes)),
        )
      }),
    )
  })
  fc.assert(property, propertyRuns)
})

it('comes in pieces of some megabytes, each in a turn of the memory', () => {
  const answer = [0, 1].map((partition) => {
    const batches = Array.from({ length: 6 }, (_, i) => batch(i * 3, 'zstd', 700_000))
    return fetchedOf(partition, batches)
  })
  const pieces = [...decompressedPieces(answer, new FetchBuffers({ count: 100 }))]
  const sizes = pieces.map((piece) => piece.reduce((sum, { range }) => sum + range.end - range.start, 0))
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeGreaterThan(2 * 18 * 700_000)
  for (const size of sizes) expect(size).toBeLessThan(13 * 1024 * 1024)
  expect(new Set(pieces.flat().map(({ range }) => range.buffer.buffer)).size).toBe(pieces.length)
  expectSameAsPacked(answer)
})

it('leaves what is not packed where it is, and what belongs to aborted transactions', () => {
  const plain = fetchedOf(0, [batch(0, 'none', 10)])
  const aborted = fetchedOf(
    1,
    [
      batchBytes({
        baseOffset: 0,
        compression: 'lz4',
        transactional: true,
        producerId: 7,
        records: [{ offsetDelta: 0 }],
      }),
      marker(1, 7, 'abort'),
    ],
    [{ producerId: 7, firstOffset: 0 }],
  )
  expect([...decompressedPieces([plain, aborted], new FetchBuffers())]).toEqual([[plain, aborted]])
  expectSameAsPacked([plain, aborted])
})

it('an answer without records is a piece too', () => {
  expect([...decompressedPieces([], new FetchBuffers())]).toEqual([[]])
})

it('starts in the middle of a batch, where it was asked for from there', () => {
  const whole = fetchedOf(0, [batch(0, 'lz4', 10), batch(3, 'lz4', 10)])
  const [found] = [...decompressedPieces([{ ...whole, from: 2 }], new FetchBuffers())].flat()
  expect(found).toMatchObject({ from: 2, next: 6 })
  expect(visit(found?.range ?? whole.range, 2).records.map(({ offset }) => offset)).toEqual([2, 3, 4, 5])
})

it('finds packed bytes that do not unpack corrupt', () => {
  const range = rangeOf(batch(0, 'lz4', 300))
  range.buffer.fill(0xff, 70, 80)
  const spoilt = { ...fetchedOf(0, []), range: { ...range, isVerified: true } }
  expect(() => [...decompressedPieces([spoilt], new FetchBuffers())]).toThrow(
    expect.objectContaining({ name: 'KpiError', code: 'KPI_KAFKA_CORRUPT' }),
  )
})
