import type { DeliveryState, Episode } from './episode.ts'

/**
 * What an evaluator knows after it took the lead: the database's episodes, with what it observed and sent itself meanwhile.
 * What both know is one episode, the database's; of each receiver the latest delivery state counts.
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
 * Two open episodes of one alert that two evaluators began. One of ours that the database has under its own id is none:
 * where we saw that one end, the alert that is open now began later.
 */
function isSameAlert(own: Episode, stored: Episode, storedIds: ReadonlySet<string>): boolean {
  if (storedIds.has(own.id) || own.fingerprint !== stored.fingerprint) return false
  return own.state !== 'resolved' && stored.state !== 'resolved'
}

function withOwn(stored: Episode, own: Episode): Episode {
  const deliveries = latest(stored.deliveries, own.deliveries)
  // It has ended: seen by the one that led meanwhile, or by us while the database was unavailable.
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
