import type { DeliveryState, Episode } from './episode.ts'

/**
 * Merges the episodes of the database with those of an evaluator that has taken the lead. An alert that both know
 * becomes one episode with the database's id; for each receiver the latest delivery state counts.
 */
export function mergeStored(own: readonly Episode[], stored: readonly Episode[]): Episode[] {
  const storedIds = new Set(stored.map(({ id }) => id))
  const merged = new Set<Episode>()
  const shared = stored.map((episode) => {
    const same = own.find(({ id }) => id === episode.id) ?? own.find((one) => isSameAlert(one, episode, storedIds))
    if (same) merged.add(same)
    const known = { ...episode, deliveries: asShared(episode.deliveries) }
    return same ? withOwn(known, same) : known
  })
  return [...shared, ...own.filter((episode) => !merged.has(episode))]
}

/**
 * Whether these are two open episodes of the same alert, started by two evaluators. Not if the database also has our
 * episode under its own id: then the stored episode is a later one of the same alert.
 */
function isSameAlert(own: Episode, stored: Episode, storedIds: ReadonlySet<string>): boolean {
  if (storedIds.has(own.id) || own.fingerprint !== stored.fingerprint) return false
  return own.state !== 'resolved' && stored.state !== 'resolved'
}

function withOwn(stored: Episode, own: Episode): Episode {
  const deliveries = latest(stored.deliveries, own.deliveries)
  // The episode is resolved in the database, so it remains resolved.
  if (stored.state === 'resolved') return { ...stored, deliveries }
  const { id, startedAtMs } = stored
  const firedAtMs = stored.firedAtMs ?? own.firedAtMs
  const isFiring = own.state === 'pending' && stored.state === 'firing'
  return { ...own, id, startedAtMs, firedAtMs, deliveries, state: isFiring ? 'firing' : own.state }
}

function latest(stored: Episode['deliveries'], own: Episode['deliveries']): Episode['deliveries'] {
  const all: Record<string, DeliveryState> = { ...stored }
  for (const [receiver, delivery] of Object.entries(own)) {
    const other = all[receiver]
    if (!other || delivery.atMs >= other.atMs) all[receiver] = delivery
  }
  return all
}

function asShared(deliveries: Episode['deliveries']): Episode['deliveries'] {
  return Object.fromEntries(
    Object.entries(deliveries).map(([name, delivery]) => [name, { ...delivery, isShared: true }]),
  )
}
