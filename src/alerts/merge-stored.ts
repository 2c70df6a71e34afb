import type { DeliveryState, Episode } from './episode.ts'

/**
 * What an evaluator knows after it took the lead: the database's episodes, with what it saw and told itself meanwhile.
 * What both know is one episode, the database's, and each receiver counts as told by whoever told it last.
 */
export function mergeStored(own: readonly Episode[], stored: readonly Episode[]): Episode[] {
  const shared = stored.map((episode) => ({ ...episode, told: asShared(episode.told) }))
  const merged = shared.map((episode) => {
    const same = own.find((other) => isSame(other, episode))
    return same ? withOwn(episode, same) : episode
  })
  const rest = own.filter((episode) => !shared.some((other) => isSame(episode, other)))
  return [...merged, ...rest]
}

/** The same trouble: the same episode, or both know of it now. */
function isSame(own: Episode, stored: Episode): boolean {
  if (own.id === stored.id) return true
  return own.fingerprint === stored.fingerprint && own.state !== 'resolved' && stored.state !== 'resolved'
}

function withOwn(stored: Episode, own: Episode): Episode {
  const told = lastTold(stored.told, own.told)
  // Ended once is ended: by the one that led meanwhile, or by us while the database was away.
  if (stored.state === 'resolved') return { ...stored, told }
  const { id, startedAtMs } = stored
  const firedAtMs = stored.firedAtMs ?? own.firedAtMs
  const isFiring = own.state === 'pending' && stored.state === 'firing'
  return { ...own, id, startedAtMs, firedAtMs, told, state: isFiring ? 'firing' : own.state }
}

function lastTold(stored: Episode['told'], own: Episode['told']): Episode['told'] {
  const all: Record<string, DeliveryState> = { ...stored }
  for (const [name, told] of Object.entries(own)) {
    const other = all[name]
    if (!other || told.atMs >= other.atMs) all[name] = told
  }
  return all
}

function asShared(told: Episode['told']): Episode['told'] {
  return Object.fromEntries(Object.entries(told).map(([name, entry]) => [name, { ...entry, isShared: true }]))
}
