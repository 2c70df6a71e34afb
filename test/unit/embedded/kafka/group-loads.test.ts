import { describe, expect, it } from 'vitest'
import { GroupLoads } from '../../../../src/embedded/kafka/group-loads.ts'

const head = 'T INFO CoordinatorRuntime [GroupCoordinator id=1]'
const scheduled = (partition: number, epoch: number) =>
  `${head} Scheduling loading of metadata from __consumer_offsets-${partition} with epoch ${epoch}`
const unloading = (partition: number, epoch: number) =>
  `${head} Scheduling unloading of metadata for __consumer_offsets-${partition} with epoch OptionalInt[${epoch}]`
const finished = (partition: number, epoch: number, records: number) =>
  `${head} Finished loading of metadata from __consumer_offsets-${partition} with epoch ${epoch} in 373ms where 17ms was spent in the scheduler. Loaded ${records} records which total to 1540194 bytes.`
const ignored = (partition: number, state: string) =>
  `${head} Ignored load completion from __consumer_offsets-${partition} because context is in ${state} state.`
const failed = (partition: number, epoch: number) =>
  `${head} Failed to load metadata from __consumer_offsets-${partition} with epoch ${epoch} due to Replaying record failed..`

function read(...lines: string[]): { settled: boolean; mixedUp: boolean } {
  const loads = new GroupLoads()
  for (const line of lines) loads.read(line)
  const { settled, mixedUp } = loads
  return { settled, mixedUp }
}

describe('groups are loaded', () => {
  it.each<[string, string[], { settled: boolean; mixedUp: boolean }]>([
    ['not at all in a new broker', [], { settled: true, mixedUp: false }],
    ['still', [scheduled(0, 4)], { settled: false, mixedUp: false }],
    [
      'one partition, and another not yet',
      [scheduled(0, 4), scheduled(1, 4), finished(1, 4, 7)],
      { settled: false, mixedUp: false },
    ],
    ['once', [scheduled(0, 4), finished(0, 4, 13627)], { settled: true, mixedUp: false }],
    [
      'twice, the first time to its end',
      [scheduled(0, 4), finished(0, 4, 94), unloading(0, 5), scheduled(0, 6), finished(0, 6, 94)],
      { settled: true, mixedUp: false },
    ],
    [
      'twice, the first time in vain',
      [scheduled(0, 4), unloading(0, 5), scheduled(0, 6), finished(0, 6, 94)],
      { settled: true, mixedUp: false },
    ],
    [
      'twice, and the second is not heard of yet',
      [scheduled(0, 4), unloading(0, 5)],
      { settled: false, mixedUp: false },
    ],
    [
      'twice, the first taken for the second',
      [scheduled(0, 140), unloading(0, 141), scheduled(0, 142), finished(0, 140, 13627), ignored(0, 'ACTIVE')],
      { settled: true, mixedUp: true },
    ],
    [
      'twice, the first stopped on the way and that taken for the end of the second',
      [scheduled(0, 42), unloading(0, 43), scheduled(0, 44), failed(0, 42), ignored(0, 'FAILED')],
      { settled: true, mixedUp: true },
    ],
    [
      'twice, the first stopped on the way, and of the second nothing is heard yet',
      [scheduled(0, 42), unloading(0, 43), scheduled(0, 44), failed(0, 42)],
      { settled: false, mixedUp: false },
    ],
    [
      'twice, the first stopped in time',
      [scheduled(0, 42), failed(0, 42), unloading(0, 43), scheduled(0, 44), finished(0, 44, 94)],
      { settled: true, mixedUp: false },
    ],
    ['in vain, for a reason of its own', [scheduled(0, 44), failed(0, 44)], { settled: true, mixedUp: false }],
    [
      'twice, and failed then',
      [
        scheduled(0, 140),
        unloading(0, 141),
        scheduled(0, 142),
        finished(0, 140, 1),
        failed(0, 142),
        ignored(0, 'FAILED'),
      ],
      { settled: true, mixedUp: true },
    ],
    [
      'mixed up where there are none',
      [scheduled(2, 140), unloading(2, 141), scheduled(2, 142), finished(2, 140, 0), ignored(2, 'ACTIVE')],
      { settled: true, mixedUp: false },
    ],
    [
      'into another kind of coordinator',
      [scheduled(0, 4).replace('consumer_offsets', 'share_group_state')],
      { settled: true, mixedUp: false },
    ],
  ])('%s', (_, lines, expected) => {
    expect(read(...lines)).toEqual(expected)
  })
})
