import { expect, it } from 'vitest'
import { LetterList } from '../../../src/verify/letter-list.ts'

function listOf(...letters: [number, string][]): LetterList {
  const list = new LetterList()
  for (const [offset, reason] of letters) list.add(offset, reason)
  return list
}

it('gives each letter once, in the order of the log', () => {
  const list = listOf([1, 'empty'], [3, 'not_json'], [7, 'empty'])
  expect([...list.before(3)]).toEqual([{ offset: 1, reason: 'empty' }])
  expect(list.at(2)).toBe(undefined)
  expect(list.at(3)).toBe('not_json')
  expect(list.at(3)).toBe(undefined)
  expect([...list.before(Number.POSITIVE_INFINITY)]).toEqual([{ offset: 7, reason: 'empty' }])
})

it('passes over letters of a hole', () => {
  const list = listOf([1, 'empty'], [3, 'not_json'])
  list.skipTo(3)
  expect([...list.before(10)]).toEqual([{ offset: 3, reason: 'not_json' }])
})
