import { expect, it } from 'vitest'
import { stateOf } from '../../../src/recovery/partition-states.ts'

it.each([
  [undefined, 0, 10, 'not started'],
  [4, 5, 10, 'behind the log'],
  [5, 5, 10, 'ok'],
  [10, 5, 10, 'ok'],
  [11, 5, 10, 'past the log'],
  [0, 0, 0, 'ok'],
] as const)('a position of %s, with a log from %s to %s, is %s', (position, start, end, state) => {
  expect(stateOf(position, start, end)).toBe(state)
})
