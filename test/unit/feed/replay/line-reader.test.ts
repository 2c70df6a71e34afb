import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LineReader, maxLineBytes } from '../../../../src/feed/replay/line-reader.ts'
import { ReplayFile } from '../../../../src/feed/replay/replay-file.ts'
import { temporaryFolder } from '../../../temporary-folder.ts'
import { fileRunsTimeoutMs, propertyRuns } from '../../kpi/property-runs.ts'
import { write } from './files.ts'

interface Line {
  readonly line: number
  readonly position: number
  readonly text: string
}

function current(reader: LineReader): Line {
  const { line, position, buffer, start, end } = reader
  return { line, position, text: buffer.toString('utf8', start, end) }
}

async function withReader<T>(content: string | Buffer, work: (reader: LineReader) => Promise<T>): Promise<T> {
  using folder = temporaryFolder()
  const file = await ReplayFile.open(write(folder.path, content))
  try {
    return await work(new LineReader(file))
  } finally {
    await file.close()
  }
}

async function readAll(reader: LineReader): Promise<Line[]> {
  const lines: Line[] = []
  while (await reader.advance()) lines.push(current(reader))
  return lines
}

describe('the lines of a file', () => {
  it('have numbers and places, and no line breaks', async () => {
    expect(await withReader('a\nbc\r\n\nd', readAll)).toEqual([
      { line: 1, position: 0, text: 'a' },
      { line: 2, position: 2, text: 'bc' },
      { line: 3, position: 6, text: '' },
      { line: 4, position: 7, text: 'd' },
    ])
  })

  it('begin behind a byte-order mark', async () => {
    expect(await withReader('\ufeffa\nb\n', readAll)).toEqual([
      { line: 1, position: 0, text: 'a' },
      { line: 2, position: 5, text: 'b' },
    ])
  })

  it('are none in an empty file', async () => {
    expect(await withReader('', readAll)).toEqual([])
  })

  it('are all there in a file that is larger than the memory of the reader', async () => {
    const texts = Array.from({ length: 80_000 }, (_, i) => `${i} ${'x'.repeat(i % 97)}`)
    const lines = await withReader(`${texts.join('\n')}\n`, readAll)
    expect(lines.map(({ text }) => text)).toEqual(texts)
    expect(lines.every(({ line }, i) => line === i + 1)).toBe(true)
    const places = texts.reduce<number[]>((all, text) => [...all.slice(-1), (all.at(-1) ?? 0) + text.length + 1], [0])
    expect(lines.at(-1)?.position).toBe(places[0])
  })

  it(
    'are the same however a file is written',
    async () => {
      const text = fc.string({ unit: fc.constantFrom('a', ',', '\r', 'é'), maxLength: 12 })
      await fc.assert(
        fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 20 }), fc.boolean(), async (texts, isEnded) => {
          const whole = texts.join('\n') + (isEnded ? '\n' : '')
          // Without a line feed its carriage returns are the line breaks.
          fc.pre(whole.includes('\n') || !whole.includes('\r'))
          const expected = whole.split('\n').map((line) => line.replace(/\r+$/, ''))
          if (whole.endsWith('\n') || whole === '') expected.pop()
          expect((await withReader(whole, readAll)).map((line) => line.text)).toEqual(expected)
        }),
        { ...propertyRuns, numRuns: Math.min(200, propertyRuns.numRuns) },
      )
    },
    fileRunsTimeoutMs,
  )

  it.each([
    ['a\rb\r', ['a', 'b']],
    ['a\r"b\nc"\rd', ['a', '"b\nc"', 'd']],
    ['a\r\r\nb\r\r\n', ['a', 'b']],
    ['5"\rb\nc', ['5"\rb', 'c']],
  ])('end with what the file has as its line break: %j', async (text, expected) => {
    expect((await withReader(text, readAll)).map((line) => line.text)).toEqual(expected)
  })

  it('are cut where they are too long, and go on behind', async () => {
    const long = 'x'.repeat(3 * maxLineBytes)
    const found = await withReader(`a\n${long}\nb\n${long}`, async (reader) => {
      const lines: [number, boolean, number][] = []
      while (await reader.advance()) lines.push([reader.line, reader.isTooLong, reader.end - reader.start])
      return lines
    })
    expect(found.map(([line, isTooLong]) => [line, isTooLong])).toEqual([
      [1, false],
      [2, true],
      [3, false],
      [4, true],
    ])
    for (const [, isTooLong, bytes] of found) if (isTooLong) expect(bytes).toBeGreaterThanOrEqual(maxLineBytes)
  })

  it('can be read from the middle on', async () => {
    const lines = await withReader('a\nbc\nd\n', async (reader) => {
      await reader.advance()
      reader.seek(2, 2)
      return readAll(reader)
    })
    expect(lines).toEqual([
      { line: 2, position: 2, text: 'bc' },
      { line: 3, position: 5, text: 'd' },
    ])
  })
})

describe('a line', () => {
  it('can be put back', async () => {
    await withReader('\ufeffa\nb\n', async (reader) => {
      await reader.advance()
      reader.putBack()
      await reader.advance()
      expect(current(reader)).toEqual({ line: 1, position: 0, text: 'a' })
      await reader.advance()
      reader.putBack()
      await reader.fill()
      expect(await reader.advance()).toBe(true)
      expect(current(reader)).toEqual({ line: 2, position: 5, text: 'b' })
    })
  })

  it('can be joined with those behind it, and be split again', async () => {
    await withReader('a\r\nb\nc\nd', async (reader) => {
      await reader.advance()
      expect(reader.join()).toBe(true)
      expect(reader.join()).toBe(true)
      expect(current(reader).text).toBe('a\r\nb\nc')
      reader.split()
      expect(current(reader)).toEqual({ line: 1, position: 0, text: 'a' })
      await reader.advance()
      expect(current(reader)).toEqual({ line: 2, position: 3, text: 'b' })
      expect(reader.join()).toBe(true)
      await reader.advance()
      expect(current(reader)).toEqual({ line: 4, position: 7, text: 'd' })
      expect(reader.join()).toBe(false)
      reader.split()
      expect(current(reader).text).toBe('d')
    })
  })

  it('is joined with a last one that lacks its break, once all is read', async () => {
    await withReader('a\nb', async (reader) => {
      await reader.advance()
      expect(reader.join()).toBe(false)
      expect(reader.hasMore).toBe(true)
      reader.putBack()
      expect(await reader.fill()).toBe(false)
      await reader.advance()
      expect(reader.hasMore).toBe(false)
      expect(reader.join()).toBe(true)
      expect(current(reader).text).toBe('a\nb')
      expect(await reader.advance()).toBe(false)
    })
  })

  it('is never joined to one that would be too long', async () => {
    await withReader(`a\n${'x'.repeat(maxLineBytes - 10)}\n${'y'.repeat(100)}\n`, async (reader) => {
      await reader.advance()
      reader.putBack()
      while (await reader.fill());
      await reader.advance()
      expect(reader.join()).toBe(true)
      expect(reader.join()).toBe(false)
      expect(reader.hasMore).toBe(false)
    })
  })
})
