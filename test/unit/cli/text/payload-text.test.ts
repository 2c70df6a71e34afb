import { expect, it } from 'vitest'
import { payloadText } from '../../../../src/cli/text/payload-text.ts'

const shown = (value: string | number[]) =>
  payloadText(typeof value === 'string' ? Buffer.from(value) : Buffer.from(value))

it('indents JSON and keeps the digits of its numbers', () => {
  expect(shown('{"close":1.10,"volume":1e400,"x":[-0]}')).toBe(
    '{\n  "close": 1.10,\n  "volume": 1e400,\n  "x": [\n    -0\n  ]\n}',
  )
})

it('leaves text that is no JSON as it is', () => {
  expect(shown('{"symbol":"AAPL",')).toBe('{"symbol":"AAPL",')
})

it('leaves JSON as it is when indenting would lose a repeated key', () => {
  expect(shown('{"close":1,"close":"2:3"}')).toBe('{"close":1,"close":"2:3"}')
})

it('shows escaped what would steer the terminal', () => {
  expect(shown('{"x":"\\u001b[31m\\u009b\\u202e"}')).toBe('{\n  "x": "\\u001b[31m\\u009b\\u202e"\n}')
  expect(shown('\u001b[2Jhello')).toBe('00000000  1b 5b 32 4a 68 65 6c 6c 6f                       .[2Jhello')
})

it('shows other bytes in hexadecimal, not more than a screen of them', () => {
  expect(shown([0xff, 0x41])).toBe('00000000  ff 41                                            .A')
  const lines = shown(Array.from({ length: 1100 }, () => 0xfe)).split('\n')
  expect(lines).toHaveLength(65)
  expect(lines.at(-1)).toBe('and 76 bytes more; --raw writes all of them')
})
