import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../../../../src/kafka/group/group-subscription.ts'
import { propertyRuns } from '../../kpi/property-runs.ts'

function bytes(...parts: string[]): Buffer {
  return Buffer.from(parts.join('').replaceAll(' ', ''), 'hex')
}

describe('a subscription', () => {
  it('is version 0: the topics, no user data', () => {
    expect(encodeSubscription(['bar']).toString('hex')).toBe(
      bytes('0000 00000001', '0003 626172', 'ffffffff').toString('hex'),
    )
  })

  it('of a newer client is read as far as we need it', () => {
    const topics = '00000002 0003 626172 0002 c3a9'
    const userData = '00000001 00'
    const owned = '00000001 0003 626172 00000001 00000007'
    const generationAndRack = '00000005 0001 72'
    const version3 = bytes('0003', topics, userData, owned, generationAndRack)
    expect(decodeSubscription(version3)).toEqual(['bar', 'é'])
  })

  it('comes back as it went', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 60 })), (topics) => {
        expect(decodeSubscription(encodeSubscription(topics))).toEqual(topics)
      }),
      propertyRuns,
    )
  })

  it.each([
    ['ends too early', bytes('0000 00000002 0003 626172')],
    ['has a topic without a name', bytes('0000 00000001 ffff')],
    ['is empty', Buffer.alloc(0)],
  ])('that %s is refused', (_, metadata) => {
    expect(() => decodeSubscription(metadata)).toThrow(expect.objectContaining({ code: 'KPI_KAFKA_CORRUPT' }))
  })
})

describe('an assignment', () => {
  it('is version 0: partitions by topic, no user data', () => {
    const encoded = encodeAssignment(new Map([['bar', [0, 258]]]))
    const expected = bytes('0000 00000001', '0003 626172', '00000002 00000000 00000102', 'ffffffff')
    expect(encoded.toString('hex')).toBe(expected.toString('hex'))
  })

  it('without a byte gives nothing', () => {
    expect(decodeAssignment(Buffer.alloc(0)).size).toBe(0)
  })

  it('comes back as it went', () => {
    const partitions = fc.array(fc.nat({ max: 2 ** 31 - 1 }))
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(fc.string(), partitions), { selector: ([topic]) => topic }), (entries) => {
        expect([...decodeAssignment(encodeAssignment(new Map(entries)))]).toEqual(entries)
      }),
      propertyRuns,
    )
  })
})
