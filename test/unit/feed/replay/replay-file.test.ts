import { appendFileSync, rmSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { prefixBytes, ReplayFile } from '../../../../src/feed/replay/replay-file.ts'
import { temporaryFolder } from '../../../temporary-folder.ts'
import { write, writeGzip } from './files.ts'

const unusable = (message: RegExp) =>
  expect.objectContaining({ code: 'KPI_FEED_FILE', message: expect.stringMatching(message) })

async function readAll(file: ReplayFile, pieceBytes = 1000): Promise<string> {
  const piece = Buffer.alloc(pieceBytes)
  let text = ''
  for (let bytes = await file.read(piece, 0); bytes > 0; bytes = await file.read(piece, 0)) {
    text += piece.toString('latin1', 0, bytes)
  }
  return text
}

const content = Array.from({ length: 50_000 }, (_, i) => `line ${i}\n`).join('')

describe('a file to replay', () => {
  it('is read to its end, packed or not, whatever it is called', async () => {
    using folder = temporaryFolder()
    for (const path of [write(folder.path, content, 'a.gz'), writeGzip(folder.path, content, 'b.csv')]) {
      const file = await ReplayFile.open(path)
      expect(file.packing).toBe(path.endsWith('b.csv') ? 'gzip' : 'none')
      expect(file.prefix.toString()).toBe(content.slice(0, prefixBytes))
      expect(await readAll(file)).toBe(content)
      expect(file.position).toBe(content.length)
      await file.close()
    }
  })

  it('may consist of several packed parts', async () => {
    using folder = temporaryFolder()
    const path = writeGzip(folder.path, content)
    appendFileSync(path, gzipSync('and more'))
    const file = await ReplayFile.open(path)
    expect(await readAll(file)).toBe(`${content}and more`)
    await file.close()
  })

  it('can be entered in the middle where it is not packed', async () => {
    using folder = temporaryFolder()
    const file = await ReplayFile.open(write(folder.path, content))
    file.seek(content.length - 5)
    expect(await readAll(file)).toBe(content.slice(-5))
    await file.close()
  })

  it('is read on when its name is gone', async () => {
    using folder = temporaryFolder()
    const path = writeGzip(folder.path, content)
    const file = await ReplayFile.open(path)
    rmSync(path)
    expect(await readAll(file)).toBe(content)
    await file.close()
    await file.close()
  })

  it('that is not there, is none, or is damaged, is told in one line', async () => {
    using folder = temporaryFolder()
    await expect(ReplayFile.open(`${folder.path}/none`)).rejects.toThrow(
      unusable(/none cannot be read: there is no such file/),
    )
    await expect(ReplayFile.open(folder.path)).rejects.toThrow(unusable(/is not a file|EISDIR/))
    const broken = write(folder.path, Buffer.from([0x1f, 0x8b, 1, 2, 3]), 'broken')
    await expect(ReplayFile.open(broken)).rejects.toThrow(unusable(/broken cannot be read: /))
  })

  it('that is cut off is read as far as it goes', async () => {
    using folder = temporaryFolder()
    const packed = gzipSync(content)
    const file = await ReplayFile.open(write(folder.path, packed.subarray(0, packed.length - 100)))
    await expect(readAll(file, 100_000)).rejects.toThrow(unusable(/cannot be read beyond byte \d{4,}: it is cut off/))
    await file.close()
  })
})
