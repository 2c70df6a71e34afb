import { expect, it } from 'vitest'
import { fnv1a, isSame } from '../../../src/kpi/byte-strings.ts'

// Source: the test vectors of the FNV authors, http://www.isthe.com/chongo/src/fnv/test_fnv.c
it.each([
  ['', 0x811c9dc5],
  ['a', 0xe40c292c],
  ['foobar', 0xbf9cf968],
])('the FNV-1a hash of %j is the published one', (text, expected) => {
  const bytes = Buffer.from(`<${text}>`)
  expect(fnv1a(bytes, 1, bytes.length - 1) >>> 0).toBe(expected)
})

it('bytes are the same only in length and content', () => {
  const bytes = Buffer.from('xAAPLx')
  expect(isSame(Buffer.from('AAPL'), bytes, 1, 5)).toBe(true)
  expect(isSame(Buffer.from('AAPL'), bytes, 0, 4)).toBe(false)
  expect(isSame(Buffer.from('AAP'), bytes, 1, 5)).toBe(false)
  expect(isSame(Buffer.from('AAPLx'), bytes, 1, 5)).toBe(false)
  expect(isSame(Buffer.from(''), bytes, 1, 1)).toBe(true)
})
