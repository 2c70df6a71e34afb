import { readFileSync } from 'node:fs'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compressionsAlgorithms } from '#kafka-protocol'
import { KpiError } from '../../../../src/errors.ts'
import { decompress } from '../../../../src/kafka/records/decompress.ts'
import { propertyRuns } from '../../kpi/property-runs.ts'
import { visit } from './visited.ts'

const codes = { gzip: 1, snappy: 2, lz4: 3, zstd: 4 }
const codecs = ['gzip', 'snappy', 'lz4', 'zstd'] as const
const corrupt = expect.objectContaining({ name: 'KpiError', code: 'KPI_KAFKA_CORRUPT' })
const mebibyte = 1024 * 1024

function fixture(name: string): Buffer {
  return readFileSync(new URL(`fixtures/${name}.bin`, import.meta.url))
}

function compress(codec: (typeof codecs)[number], plain: Buffer): Buffer {
  if (codec === 'gzip') return gzipSync(plain)
  if (codec === 'zstd') return zstdCompressSync(plain)
  return compressionsAlgorithms[codec].compressSync(plain)
}

/** The i-th message of the batches in fixtures/, which other clients wrote. */
function message(i: number): string {
  return `{"symbol":"S${i % 20}","timestamp":"2026-02-14T14:30:05.250Z","close":${100 + i}.25,"volume":${i * 7}}`
}

describe('batches of other clients', () => {
  // kafka-clients 4.4.0: 500 messages with timestamps and headers; some keys and values are null. Its snappy is chunked.
  it.each(codecs)('are read: the Java client’s with %s', (codec) => {
    const buffer = fixture(`java-${codec}`)
    const { records, next } = visit({ buffer, start: 0, end: buffer.length }, 0)
    expect(next).toBe(500)
    expect(records).toEqual(
      Array.from({ length: 500 }, (_, i) => ({
        offset: i,
        timestampMs: 1_771_079_400_000 + i,
        key: i % 50 === 7 ? null : `S${i % 20}`,
        value: i % 50 === 9 ? null : message(i),
      })),
    )
  })

  // librdkafka 2.0.2, by kcat.
  it.each(codecs)('are read: librdkafka’s with %s', (codec) => {
    const buffer = fixture(`rdkafka-${codec}`)
    const { records } = visit({ buffer, start: 0, end: buffer.length }, 0)
    expect(records.map(({ key, value }) => `${key}|${value}`)).toEqual(
      Array.from({ length: 500 }, (_, i) => `S${i % 20}|${message(i)}`),
    )
  })

  // lz4 1.9.4, -BD --content-size and -BX.
  it.each(['lz4-linked-sized', 'lz4-block-checksums'])('are read: %s', (name) => {
    const lines = Array.from({ length: 4000 }, (_, i) => `{"symbol":"S${i % 20}","close":${i % 97}}\n`)
    expect(decompress(fixture(name), codes.lz4).toString()).toBe(lines.join(''))
  })
})

/** Text with repetitions near and far, some longer than any literal or match a single token holds. */
const plainBytes = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
      fc
        .tuple(fc.string({ minLength: 1, maxLength: 5 }), fc.nat({ max: 4000 }))
        .map(([s, n]) => Buffer.from(s.repeat(n))),
      fc.constant(Buffer.from(message(1))),
      fc.constant(Buffer.from(message(2))),
    ),
    { maxLength: 12 },
  )
  .map((parts) => Buffer.concat(parts))

describe.each(codecs)('decompress %s', (codec) => {
  it('gives back what was packed', () => {
    fc.assert(
      fc.property(plainBytes, (plain) => {
        fc.pre(plain.length > 0)
        expect(decompress(compress(codec, plain), codes[codec]).equals(plain)).toBe(true)
      }),
      propertyRuns,
    )
  })

  it('unpacks up to the limit, and no more', () => {
    const plain = Buffer.alloc(mebibyte, 'market data ')
    const packed = compress(codec, plain)
    expect(decompress(packed, codes[codec], mebibyte).equals(plain)).toBe(true)
    expect(() => decompress(packed, codes[codec], mebibyte - 1)).toThrow(corrupt)
  })

  it('does not take the memory that a bomb asks for', () => {
    const packed = compress(codec, Buffer.alloc(64 * mebibyte))
    const before = process.memoryUsage().rss
    for (let i = 0; i < 5; i++) expect(() => decompress(packed, codes[codec], mebibyte)).toThrow(corrupt)
    expect(process.memoryUsage().rss - before).toBeLessThan(48 * mebibyte)
  })

  it('refuses what is cut off or changed, or unpacks it to other bytes, and goes on working', () => {
    const plain = Buffer.from(Array.from({ length: 200 }, (_, i) => message(i)).join('\n'))
    const good = compress(codec, plain)
    const change = fc.oneof(
      fc.nat({ max: good.length - 1 }).map((length) => good.subarray(0, length)),
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 5 }).map((changes) => {
        const changed = Buffer.from(good)
        for (const [at, byte] of changes) changed[at % changed.length] = byte
        return changed
      }),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.concat([good.subarray(0, 7), bytes])),
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    )
    fc.assert(
      fc.property(change, (packed) => {
        try {
          expect(decompress(packed, codes[codec], mebibyte).length).toBeLessThanOrEqual(mebibyte)
        } catch (error) {
          if (!(error instanceof KpiError && error.code === 'KPI_KAFKA_CORRUPT')) throw error
        }
      }),
      { ...propertyRuns, numRuns: propertyRuns.numRuns * 3 },
    )
    expect(decompress(good, codes[codec]).equals(plain)).toBe(true)
  })
})

it('refuses a snappy block that claims gigabytes', () => {
  const claim = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x07, 0x00, 0x41])
  expect(() => decompress(claim, codes.snappy)).toThrow(corrupt)
  const chunk = Buffer.concat([fixture('java-snappy').subarray(61, 77), Buffer.from([0, 0, 0, 7]), claim])
  expect(() => decompress(chunk, codes.snappy)).toThrow(corrupt)
})

it('refuses an unknown kind', () => {
  for (const code of [0, 5, 6, 7])
    expect(() => decompress(Buffer.alloc(10), code)).toThrow(`unknown compression ${code}`)
})
