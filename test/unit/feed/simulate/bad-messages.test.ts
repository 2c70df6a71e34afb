import { expect, it } from 'vitest'
import { badKinds, badValue } from '../../../../src/feed/simulate/bad-messages.ts'
import { MessageDecoder, rejectReasons } from '../../../../src/kpi/decode/message.ts'

const timeMs = Date.UTC(2026, 1, 16, 15, 0)
/** As lenient as it can be set. */
const decoder = new MessageDecoder({ maxFutureSeconds: 31_536_000, decimals: 8 })

it.each(badKinds)('a message that is bad by %s is rejected for that', (kind) => {
  const value = Buffer.from(badValue(kind, 'BRK.B', timeMs))
  expect(decoder.decode(value, 0, value.length, timeMs)).toBe(kind)
})

it('every reason of a rejection has its bad message', () => {
  expect([...badKinds].sort()).toEqual([...rejectReasons].sort())
})
