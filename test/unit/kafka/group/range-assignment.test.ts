import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assignRanges, type RangeMember } from '../../../../src/kafka/group/range-assignment.ts'
import { propertyRuns } from '../../kpi/property-runs.ts'

const prices = 'market-prices'

function member(memberId: string, topics: readonly string[] = [prices], instanceId?: string): RangeMember {
  return { memberId, topics, instanceId }
}

/** `id: topic[partitions]`, by member. */
function told(members: readonly RangeMember[], counts: Record<string, number>): string[] {
  return [...assignRanges(members, new Map(Object.entries(counts)))].map(([id, topics]) => {
    const parts = [...topics].map(([topic, partitions]) => `${topic}[${partitions.join()}]`)
    return `${id}: ${parts.join(' ')}`
  })
}

describe('assignRanges', () => {
  it('gives all to the only member', () => {
    expect(told([member('a')], { [prices]: 3 })).toEqual([`a: ${prices}[0,1,2]`])
  })

  it('cuts contiguous ranges, the first ones longer, as the Java client does', () => {
    const members = [member('c'), member('a'), member('b')]
    expect(told(members, { [prices]: 8 })).toEqual([`c: ${prices}[6,7]`, `a: ${prices}[0,1,2]`, `b: ${prices}[3,4,5]`])
  })

  it('leaves members without a share when there are more of them than partitions', () => {
    expect(told([member('a'), member('b'), member('c')], { [prices]: 2 })).toEqual([
      `a: ${prices}[0]`,
      `b: ${prices}[1]`,
      'c: ',
    ])
  })

  it('puts members with a fixed name first, by that name', () => {
    const members = [member('a'), member('z', [prices], 'two'), member('y', [prices], 'one')]
    expect(told(members, { [prices]: 3 })).toEqual([`a: ${prices}[2]`, `z: ${prices}[1]`, `y: ${prices}[0]`])
  })

  it('shares each topic among those who want it', () => {
    const members = [member('a', ['x', 'y']), member('b', ['y']), member('c', ['nowhere'])]
    expect(told(members, { x: 2, y: 3 })).toEqual(['a: x[0,1] y[0,1]', 'b: y[2]', 'c: '])
  })

  it('gives each partition of each wanted topic to exactly one subscriber, evenly, whatever the order of members', () => {
    const topics = ['t0', 't1', 't2']
    const members = fc.uniqueArray(
      fc.record({
        memberId: fc.string({ minLength: 1 }),
        instanceId: fc.option(fc.string(), { nil: undefined }),
        topics: fc.subarray(topics),
      }),
      { minLength: 1, maxLength: 12, selector: (one) => one.memberId },
    )
    const counts = fc.array(fc.nat({ max: 40 }), { minLength: 3, maxLength: 3 })
    fc.assert(
      fc.property(members, counts, fc.boolean(), (group, partitions, reversed) => {
        const byTopic = new Map(topics.map((topic, index) => [topic, partitions[index] ?? 0]))
        const assignments = assignRanges(reversed ? group.toReversed() : group, byTopic)
        for (const [topic, count] of byTopic) {
          const subscribers = group.filter((one) => one.topics.includes(topic))
          const shares = group.map((one) => assignments.get(one.memberId)?.get(topic) ?? [])
          const given = shares.flat().sort((a, b) => a - b)
          expect(given).toEqual(subscribers.length === 0 ? [] : Array.from({ length: count }, (_, index) => index))
          for (const [index, share] of shares.entries()) {
            if (!group[index]?.topics.includes(topic)) expect(share).toEqual([])
            else expect(Math.abs(share.length - count / subscribers.length)).toBeLessThan(1)
          }
        }
      }),
      propertyRuns,
    )
  })
})
