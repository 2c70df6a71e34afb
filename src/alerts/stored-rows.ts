// Converts between rows of the alert tables and episodes, dispatches and silences. The names in their JSON are part of
// the stored format, so that versions can read each other's rows: `told` in `progress` is called `deliveries` in the
// code.

import { z } from 'zod'
import { severities, stages } from '../observe/finding.ts'
import type { AlertRow, NotificationRow } from '../store/alerts/alert-session.ts'
import type { Dispatch, DispatchRecord } from './alert-store.ts'
import type { Episode } from './episode.ts'
import type { Notification } from './notification.ts'
import type { Silence } from './silence.ts'

const delivery = z.object({
  status: z.enum(['firing', 'resolved', 'refused']),
  severity: z.enum(severities),
  atMs: z.number(),
})

const progress = z.object({
  pendingSinceMs: z.number(),
  clearSinceMs: z.number().nullable(),
  unknownSinceMs: z.number().nullable(),
  told: z.record(z.string(), delivery),
})

const known = z.object({
  severity: z.enum(severities),
  stage: z.enum(stages),
  state: z.enum(['pending', 'firing', 'resolved']),
})

const matchers = z.array(z.object({ name: z.string(), value: z.string() }))

const body = z.object({
  episodes: z.array(z.object({ id: z.string(), fingerprint: z.string() })),
  notification: z.custom<Notification>((value) => typeof value === 'object' && value !== null && 'alerts' in value),
})

export function rowOf(episode: Episode): AlertRow {
  const { id, fingerprint, rule, severity, stage, state, labels, summary, value, unit, inhibitedBy } = episode
  const { startedAtMs, firedAtMs, resolvedAtMs, pendingSinceMs, clearSinceMs, unknownSinceMs } = episode
  return {
    ...{ id, fingerprint, rule, severity, stage, state, labels, summary, value, unit, inhibitedBy },
    startedAt: new Date(startedAtMs),
    firedAt: firedAtMs === null ? null : new Date(firedAtMs),
    resolvedAt: resolvedAtMs === null ? null : new Date(resolvedAtMs),
    progress: { pendingSinceMs, clearSinceMs, unknownSinceMs, told: episode.deliveries },
  }
}

/** @returns One episode, or none if another version wrote a row that this one does not understand. */
export function episodeOf(row: AlertRow): Episode[] {
  const stored = progress.safeParse(row.progress)
  const named = known.safeParse(row)
  if (!stored.success || !named.success) return []
  const { told, ...marks } = stored.data
  const { id, fingerprint, rule, labels, summary, value, unit, inhibitedBy, startedAt, firedAt, resolvedAt } = row
  const deliveries = Object.entries(told).map(([name, entry]) => [name, { ...entry, isShared: true }] as const)
  return [
    {
      ...{ id, fingerprint, rule, labels, summary, value, unit, inhibitedBy },
      ...named.data,
      ...marks,
      deliveries: Object.fromEntries(deliveries),
      startedAtMs: startedAt.getTime(),
      firedAtMs: firedAt?.getTime() ?? null,
      resolvedAtMs: resolvedAt?.getTime() ?? null,
    },
  ]
}

export function notificationRowOf(record: DispatchRecord): NotificationRow {
  const { receiver, notification, episodes, outcome, attempts, detail } = record
  return {
    id: notification.id,
    ...{ receiver, outcome, attempts, detail },
    reason: notification.reason,
    alertIds: episodes.map(({ id }) => id),
    body: { episodes, notification },
    sentAt: new Date(notification.sentAtMs),
  }
}

/** @returns One dispatch, or none, as `episodeOf` does. */
export function dispatchOf({ receiver, body: stored }: NotificationRow): Dispatch[] {
  const parsed = body.safeParse(stored)
  return parsed.success ? [{ receiver, ...parsed.data }] : []
}

/** @returns One silence, or none, as `episodeOf` does. */
export function silenceOf(row: { id: string; matchers: unknown; expiresAt: Date }): Silence[] {
  const parsed = matchers.safeParse(row.matchers)
  return parsed.success ? [{ id: row.id, matchers: parsed.data, expiresAtMs: row.expiresAt.getTime() }] : []
}
