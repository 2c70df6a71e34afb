// What an evaluator knows after it has read the database.
import { expect, it } from 'vitest'
import type { Episode } from '../../../src/alerts/episode.ts'
import { mergeStored } from '../../../src/alerts/merge-stored.ts'
import { sampleEpisode } from './sample-episode.ts'

const delivery = { status: 'firing', severity: 'warning', atMs: 1, isShared: false } as const

function shown(episodes: readonly Episode[]): string[] {
  return episodes.map(({ id, state, deliveries }) =>
    [id, state, ...Object.entries(deliveries).map(([name, { isShared }]) => `${name}${isShared ? '' : '*'}`)].join(' '),
  )
}

it('an alert that two evaluators observed is one episode, the stored one', () => {
  const stored = sampleEpisode({ id: 'stored', firedAtMs: 1000, deliveries: { desk: delivery } })
  const own = sampleEpisode({ id: 'own', firedAtMs: 2000, deliveries: { night: delivery } })
  const merged = mergeStored([own], [stored])
  expect(shown(merged)).toEqual(['stored firing desk night*'])
  expect(merged[0]?.firedAtMs).toBe(1000)
})

it('an episode that we saw end while the database was unavailable does not absorb the one that followed it', () => {
  const stored = sampleEpisode({ id: 'first', deliveries: { desk: delivery } })
  const ended = sampleEpisode({ id: 'first', state: 'resolved', resolvedAtMs: 5000 })
  const again = sampleEpisode({ id: 'second', firedAtMs: 6000 })
  expect(shown(mergeStored([ended, again], [stored]))).toEqual(['first resolved desk', 'second firing'])
})

it('an episode that another leader saw end has ended, whatever we believed', () => {
  const stored = sampleEpisode({ id: 'first', state: 'resolved', resolvedAtMs: 5000 })
  expect(shown(mergeStored([sampleEpisode({ id: 'first' })], [stored]))).toEqual(['first resolved'])
})

it('of each receiver the latest delivery counts', () => {
  const stored = sampleEpisode({ deliveries: { desk: { ...delivery, atMs: 2 }, night: { ...delivery, atMs: 2 } } })
  const own = sampleEpisode({ deliveries: { desk: { ...delivery, atMs: 3 }, night: delivery } })
  expect(shown(mergeStored([own], [stored]))).toEqual([`${own.id} firing desk* night`])
})
