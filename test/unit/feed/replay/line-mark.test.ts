import { describe, expect, it } from 'vitest'
import { isSameFile, MarkWriter, newPass, passText, readMark, readPass } from '../../../../src/feed/replay/line-mark.ts'
import { headerBytes, headersEnd } from '../../../../src/kafka/records/message-headers.ts'

const prefix = Buffer.from('symbol,timestamp,close\nA,2026-02-14T14:30:05Z,1\n')
const pass = newPass(prefix, 1_771_079_405_250, 3)

function marked(line: number, position: number, element = 0): Buffer {
  const writer = new MarkWriter(passText(pass))
  const bytes = Buffer.alloc(10 + writer.maxBytes)
  const end = writer.write(bytes, 10, { line, element, position })
  expect(headersEnd(bytes, 10)).toBe(end)
  return bytes.subarray(0, end)
}

describe('the mark of a line', () => {
  it.each([
    [2, 23],
    [1, 0],
    [999_999_999, 1_000_000_000],
    [2 ** 40, 2 ** 53 - 1],
  ])('is read back: line %i at byte %i', (line, position) => {
    const mark = readMark(marked(line, position), 10)
    expect(mark?.place).toEqual({ line, element: 0, position })
    expect(readPass(mark?.pass ?? '')).toEqual(pass)
  })

  it('is readable text in two headers', () => {
    const text = marked(2, 23).toString('latin1')
    expect(text).toMatch(/replay.[0-9a-f]{16}-[0-9a-z]+-[0-9a-z]+-3.*line.2@23$/s)
  })

  it.each([
    [{}],
    [{ line: '2@23' }],
    [{ replay: 'x' }],
    [{ replay: 'x', line: '2' }],
    [{ replay: 'x', line: '-2@23' }],
    [{ traceparent: '00-1-2-01' }],
  ])('is not found in other headers: %j', (headers) => {
    expect(readMark(headerBytes(headers), 0)).toBeUndefined()
  })

  it.each(['', 'x', '0123456789abcdef-1b-zz', '0123456789abcdeX-1b-zz-3', '0123456789abcdef-1b-zz-3-4'])(
    'names no pass of ours: "%s"',
    (text) => {
      expect(readPass(text)).toBeUndefined()
    },
  )
})

describe('a file', () => {
  it('is the same when lines were appended to it', () => {
    expect(isSameFile(pass, prefix)).toBe(true)
    expect(isSameFile(pass, Buffer.concat([prefix, Buffer.from('B,2026-02-14T14:30:06Z,2\n')]))).toBe(true)
  })

  it('is another when its beginning differs, or it is shorter', () => {
    const other = Buffer.from(prefix)
    other[other.length - 2] = 0x32
    expect(isSameFile(pass, other)).toBe(false)
    expect(isSameFile(pass, prefix.subarray(0, -1))).toBe(false)
    expect(isSameFile({ ...pass, hashedBytes: 0 }, prefix)).toBe(false)
  })
})
