/** A member of the group as its leader sees it. */
export interface RangeMember {
  readonly memberId: string
  /** A static member name that outlives the member id; static members come first. */
  readonly instanceId: string | undefined
  readonly topics: readonly string[]
}

/** A member's assignment: topic → partitions. */
export type TopicPartitions = ReadonlyMap<string, readonly number[]>

/**
 * Splits each topic's partitions into contiguous ranges, one for each subscriber; when they do not divide evenly, the
 * first ranges have one partition more. Other leaders of the same group (Java, librdkafka) compute the same result.
 * Source: Kafka's RangeAssignor, without its rack awareness.
 *
 * @returns By member id, with an entry for every member.
 */
export function assignRanges(
  members: readonly RangeMember[],
  partitionCounts: ReadonlyMap<string, number>,
): Map<string, TopicPartitions> {
  const assignments = new Map(members.map((member) => [member.memberId, new Map<string, readonly number[]>()]))
  for (const topic of new Set(members.flatMap((member) => member.topics))) {
    const subscribers = members.filter((member) => member.topics.includes(topic)).sort(byRank)
    const count = partitionCounts.get(topic) ?? 0
    const whole = Math.floor(count / subscribers.length)
    const longer = count % subscribers.length
    subscribers.forEach((member, rank) => {
      const start = whole * rank + Math.min(rank, longer)
      const length = whole + (rank < longer ? 1 : 0)
      const range = Array.from({ length }, (_, index) => start + index)
      if (length > 0) assignments.get(member.memberId)?.set(topic, range)
    })
  }
  return assignments
}

function byRank(a: RangeMember, b: RangeMember): number {
  if (a.instanceId !== undefined && b.instanceId !== undefined) return compare(a.instanceId, b.instanceId)
  if (a.instanceId !== undefined) return -1
  if (b.instanceId !== undefined) return 1
  return compare(a.memberId, b.memberId)
}

/** By UTF-16 code units, as Java compares strings. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
