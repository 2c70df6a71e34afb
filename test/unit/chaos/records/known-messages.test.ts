// What chaos expects of a message has to be what the message says: its own numbers are checked by the plain decoder.
import { expect, it } from 'vitest'
import { decodePlainly } from '../../../../src/verify/plain-decoder.ts'
import { knownMessage } from '../../../chaos/records/known-messages.ts'
import { seed } from '../../../seed.ts'

const count = 20_000
const latestUs = Date.UTC(2026, 1, 14) * 1000

it('known messages mean what they say', () => {
  const reasons = new Set<string>()
  for (let index = 0; index < count; index++) {
    const { value, meaning } = knownMessage(seed, index)
    const decoded = decodePlainly(Buffer.from(value), latestUs, 8)
    if (typeof meaning === 'string') reasons.add(meaning)
    const expected = typeof meaning === 'string' ? meaning : { ...meaning, timestampUs: Number(meaning.timestampUs) }
    expect(decoded, value).toEqual(expected)
  }
  expect(reasons.size).toBe(10)
})

it('a known message is the same whenever it is asked for', () => {
  expect(knownMessage(seed, 17)).toEqual(knownMessage(seed, 17))
  expect(knownMessage(seed, 18)).not.toEqual(knownMessage(seed, 17))
})
