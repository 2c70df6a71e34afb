import { crc32, deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { ReplayFile } from '../../../../../src/feed/replay/replay-file.ts'
import { temporaryFolder } from '../../../../temporary-folder.ts'
import { write } from '../files.ts'

interface Entry {
  readonly name: string
  readonly content: Buffer
  readonly flags?: number
}

/** A zip archive after PKWARE's APPNOTE, without more than is needed. */
function zipOf(entries: readonly Entry[]): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  for (const { name, content, flags = 0 } of entries) {
    const packed = deflateRawSync(content)
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(flags, 2)
    common.writeUInt16LE(8, 4)
    common.writeUInt32LE(crc32(content), 10)
    common.writeUInt32LE(packed.length, 14)
    common.writeUInt32LE(content.length, 18)
    common.writeUInt16LE(name.length, 22)
    const place = Buffer.alloc(14)
    place.writeUInt32LE(Buffer.concat(parts).length, 10)
    parts.push(Buffer.from('PK\x03\x04'), common, Buffer.from(name), packed)
    directory.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, place, Buffer.from(name))
  }
  const start = Buffer.concat(parts)
  const list = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(list.length, 12)
  end.writeUInt32LE(start.length, 16)
  return Buffer.concat([start, list, end])
}

async function contentOf(bytes: Buffer): Promise<{ text: string; packing: string }> {
  using folder = temporaryFolder()
  const file = await ReplayFile.open(write(folder.path, bytes))
  try {
    const piece = Buffer.alloc(100_000)
    const pieces: Buffer[] = []
    for (let read = await file.read(piece, 0); read > 0; read = await file.read(piece, 0)) {
      pieces.push(Buffer.from(piece.subarray(0, read)))
    }
    const text = Buffer.concat(pieces).toString()
    // And once more from the beginning.
    await file.rewind()
    await file.read(piece, 0)
    expect(text.startsWith(piece.toString('utf8', 0, 10))).toBe(true)
    return { text, packing: file.packing }
  } finally {
    await file.close()
  }
}

const text = Array.from({ length: 40_000 }, (_, i) => `line ${i} é\n`).join('')
const content = Buffer.from(text)
const half = content.length >> 1
const skippable = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3])

describe('a packed file', () => {
  it.each([
    ['gzip', gzipSync(content)],
    ['gzip', Buffer.concat([gzipSync(content.subarray(0, half)), gzipSync(content.subarray(half))])],
    ['zstd', zstdCompressSync(content)],
    ['zstd', Buffer.concat([zstdCompressSync(content.subarray(0, half)), zstdCompressSync(content.subarray(half))])],
    ['zstd', Buffer.concat([skippable, zstdCompressSync(content), skippable])],
    ['zip', zipOf([{ name: 'prices.csv', content }])],
    [
      'zip',
      zipOf([
        { name: 'a/', content: Buffer.alloc(0) },
        { name: 'a/prices.csv', content },
      ]),
    ],
    [
      'zip',
      zipOf([
        { name: 'prices.csv', content },
        { name: '__MACOSX/._prices.csv', content: Buffer.from('x') },
      ]),
    ],
    ['gzip', gzipSync(Buffer.from(`\ufeff${text}`, 'utf16le'))],
    ['none', Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['none', Buffer.from(`\ufeff${text}`, 'utf16le').swap16()],
  ])('is read as what it holds: %s', async (packing, bytes) => {
    const found = await contentOf(bytes)
    expect(found.packing).toBe(packing)
    expect(found.text === text).toBe(true)
  })

  it.each([
    [
      zipOf([
        { name: 'a.csv', content },
        { name: 'b.csv', content },
      ]),
      /zip archive with 2 files \(a\.csv, b\.csv\)/,
    ],
    [zipOf([]), /zip archive without a file/],
    [zipOf([{ name: 'a.csv', content, flags: 1 }]), /encrypted zip archive/],
    [
      zipOf([
        { name: '[Content_Types].xml', content },
        { name: 'xl/workbook.xml', content },
      ]),
      /office document/,
    ],
    [Buffer.from('BZh91AY&SY'), /compressed with bzip2 \(bz2\)/],
    [Buffer.from('\xfd7zXZ\x00', 'latin1'), /compressed with xz/],
    [gzipSync(Buffer.concat([Buffer.alloc(257), Buffer.from('ustar\x0000'), Buffer.alloc(300)])), /tar archive/],
    [gzipSync(gzipSync(content)), /compressed twice, with gzip and gzip/],
    [zstdCompressSync(content).subarray(0, -30), /cut off/],
    [Buffer.concat([zstdCompressSync(content), Buffer.from('junk')]), /no zstd frame begins at byte \d+/],
    [Buffer.concat([Buffer.from('\ufeffa', 'utf16le'), Buffer.from([0x00, 0xd8, 0x20, 0x00])]), /UTF-16/],
  ])('is refused by its name, or where it is damaged: %#', async (bytes, message) => {
    await expect(contentOf(bytes)).rejects.toThrow(
      expect.objectContaining({ code: 'KPI_FEED_FILE', message: expect.stringMatching(message) }),
    )
  })

  it('with a wrong checksum is refused', async () => {
    const bytes = zipOf([{ name: 'a.csv', content: Buffer.from('symbol,timestamp,close\n') }])
    // The directory holds it behind its signature and two versions, flags, method and time.
    const directory = bytes.indexOf('PK\x01\x02')
    bytes.writeUInt32LE(7, directory + 16)
    await expect(contentOf(bytes)).rejects.toThrow(/checksum of 'a\.csv'/)
  })
})
