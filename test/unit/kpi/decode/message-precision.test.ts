import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MessageDecoder, type PrecisionLoss } from '../../../../src/kpi/decode/message.ts'
import { losesPrecision } from '../../../../src/kpi/precision.ts'
import { propertyRuns } from '../property-runs.ts'
import { decode } from './decoded.ts'
import { numberText } from './message-arbitrary.ts'
import { rawMessage } from './raw-message.ts'

/** JSON that decodes to the usual bar by the full parser alone: an escape stands in a name. */
const unusual = rawMessage().replace('"close"', '"clos\\u0065"')

describe('what rounding changes by more than one ten-thousandth', () => {
  const losses: PrecisionLoss[] = []
  const lossy = (decimals: number) =>
    new MessageDecoder({ maxFutureSeconds: 300, decimals, onPrecisionLost: (loss) => losses.push(loss) })
  const lossesOf = (members: Record<string, string>, decimals = 8): PrecisionLoss[] => {
    losses.length = 0
    decode(lossy(decimals), rawMessage(members))
    return losses
  }

  it('is reported with the symbol, the number that loses most, and the setting that keeps it', () => {
    expect(lossesOf({ symbol: '"PEPE"', low: '0.00000012', close: '0.000000123789', open: '1.5e-7' })).toEqual([
      { symbol: 'PEPE', field: 'close', text: '0.000000123789', decimals: 12 },
    ])
    expect(lossesOf({ close: '1e-30', volume: '0.000000123789' })).toMatchObject([
      { field: 'close', decimals: undefined },
    ])
    expect(lossesOf({ close: '0.000000123789' }, 11)).toEqual([])
    expect(lossesOf({ close: '0.0000000000123789' }, 12)).toMatchObject([{ decimals: 16 }])
  })

  it('is the same by either path, and in any shape of the message', () => {
    const small = fc.tuple(fc.bigInt({ min: -(10n ** 9n), max: 10n ** 9n }), fc.integer({ min: 8, max: 22 }))
    const smallText = small.map(([digits, places]) => `${digits}e-${places}`)
    const text = fc.oneof(numberText, smallText)
    const property = fc.property(text, fc.integer({ min: 8, max: 18 }), (text, decimals) => {
      const loses = losesPrecision(text, decimals)
      const isOut = 'reason' in decode(lossy(decimals), rawMessage({ open: text }))
      for (const members of [{ open: text }, { open: text, note: '"\\n"' }]) {
        expect(lossesOf(members, decimals).length).toBe(Number(loses && !isOut))
      }
    })
    fc.assert(property, propertyRuns)
  })

  it('is not told of a message that is rejected, nor of the one before', () => {
    expect(lossesOf({ close: '1e-9', volume: '-1' })).toEqual([])
    const decoder = lossy(8)
    losses.length = 0
    decode(decoder, rawMessage({ close: '1e-9' }))
    decode(decoder, unusual)
    expect(losses.length).toBe(1)
  })
})
