import { expect, it } from 'vitest'
import { SnapshotHistory } from '../../../src/observe/history.ts'
import { healthy, nowMs, without, withSource } from './scene.ts'

const filled = (count: number, everyMs: number) => {
  const history = new SnapshotHistory()
  for (let i = 0; i < count; i++) history.add(healthy(nowMs + i * everyMs))
  return history
}

it('keeps a bounded number of looks, the newest ones', () => {
  const { observations } = filled(2000, 1000)
  expect(observations).toHaveLength(600)
  expect(observations.at(-1)?.atMs).toBe(nowMs + 1999 * 1000)
})

it('keeps one look a second, however often somebody asks, and spans as long', () => {
  const { observations } = filled(100, 100)
  expect(observations.length).toBeLessThanOrEqual(12)
  expect(observations[0]?.atMs).toBe(nowMs)
  expect(observations.at(-1)?.atMs).toBe(nowMs + 9900)
})

it('keeps a day of disks, one every five minutes', () => {
  const { diskObservations } = filled(3 * 24 * 60, 60_000)
  expect(diskObservations).toHaveLength(288)
  expect((diskObservations.at(-1)?.atMs ?? 0) - (diskObservations[0]?.atMs ?? 0)).toBe(287 * 300_000)
})

it('begins anew when the clock was set back', () => {
  const history = filled(10, 1000)
  history.add(healthy(nowMs - 5000))
  expect(history.observations.map(({ atMs }) => atMs)).toEqual([nowMs - 5000])
  expect(history.diskObservations.map(({ atMs }) => atMs)).toEqual([nowMs - 5000])
})

it('begins anew with a topic that was created anew: its positions did not go back', () => {
  const history = filled(10, 1000)
  const anew = withSource(healthy(nowMs + 10_000), 'kafka', 'topic', { topicId: 'another' })
  history.add(anew)
  expect(history.observations.at(-1)?.partitions.size).toBe(0)
  const definition = { topic: 'market-prices', topicId: 'another', group: 'processor', windowSeconds: 300, decimals: 8 }
  history.add(withSource({ ...anew, takenAtMs: nowMs + 11_000 }, 'postgres', 'schema', { definition }))
  expect(history.observations.map(({ atMs, partitions }) => [atMs, partitions.size])).toEqual([[nowMs + 11_000, 3]])
})

it('holds nothing of what was not seen', () => {
  const history = new SnapshotHistory()
  history.add(without(without(healthy(), 'postgres', 'positions', 'workers'), 'kafka', 'disk'))
  expect(history.observations).toEqual([
    { atMs: nowMs, partitions: new Map(), counts: null, poolPressurePercent: null },
  ])
  expect(history.diskObservations).toEqual([])
})
