import { z } from 'zod'
import { severities, stages } from '../observe/finding.ts'
import {
  type AlertRow,
  AlertSession,
  type AlertSessionOptions,
  type NotificationRow,
} from '../store/alerts/alert-session.ts'
import type { PostgresOptions } from '../store/client/connection.ts'
import type { AlertStore, Dispatch, DispatchRecord } from './alert-store.ts'
import type { Episode } from './episode.ts'
import type { Notification } from './notification.ts'
import type { Silence } from './silence.ts'

const told = z.object({
  status: z.enum(['firing', 'resolved', 'refused']),
  severity: z.enum(severities),
  atMs: z.number(),
})

const progress = z.object({
  pendingSinceMs: z.number(),
  clearSinceMs: z.number().nullable(),
  unknownSinceMs: z.number().nullable(),
  told: z.record(z.string(), told),
})

const words = z.object({
  severity: z.enum(severities),
  stage: z.enum(stages),
  state: z.enum(['pending', 'firing', 'resolved']),
})

const matchers = z.array(z.object({ name: z.string(), value: z.string() }))

const body = z.object({
  episodes: z.array(z.object({ id: z.string(), fingerprint: z.string() })),
  notification: z.custom<Notification>((value) => typeof value === 'object' && value !== null && 'alerts' in value),
})

/** Alerts kept in PostgreSQL. Rows that another version wrote, and this one does not understand, are left alone. */
export async function openPostgresStore(options: PostgresOptions, self: AlertSessionOptions): Promise<AlertStore> {
  const session = await AlertSession.open(options, self)
  return {
    takeLead: () => session.takeLead(),
    load: async () => {
      const { alerts, sending } = await session.load()
      return { episodes: alerts.flatMap(episodeOf), sending: sending.flatMap(dispatchOf) }
    },
    silences: async () => (await session.silences()).flatMap(silenceOf),
    save: ({ episodes, forgotten, dispatches }) =>
      session.save({ alerts: episodes.map(rowOf), forgotten, notifications: dispatches.map(notificationRowOf) }),
    close: () => session.close(),
  }
}

function rowOf(episode: Episode): AlertRow {
  const { id, fingerprint, rule, severity, stage, state, labels, summary, value, unit, inhibitedBy } = episode
  const { startedAtMs, firedAtMs, resolvedAtMs, pendingSinceMs, clearSinceMs, unknownSinceMs } = episode
  return {
    ...{ id, fingerprint, rule, severity, stage, state, labels, summary, value, unit, inhibitedBy },
    startedAt: new Date(startedAtMs),
    firedAt: firedAtMs === null ? null : new Date(firedAtMs),
    resolvedAt: resolvedAtMs === null ? null : new Date(resolvedAtMs),
    progress: { pendingSinceMs, clearSinceMs, unknownSinceMs, told: episode.told },
  }
}

/** One episode, or none. */
function episodeOf(row: AlertRow): Episode[] {
  const marks = progress.safeParse(row.progress)
  const known = words.safeParse(row)
  if (!marks.success || !known.success) return []
  const { id, fingerprint, rule, labels, summary, value, unit, inhibitedBy, startedAt, firedAt, resolvedAt } = row
  const entries = Object.entries(marks.data.told).map(([name, entry]) => [name, { ...entry, isShared: true }] as const)
  return [
    {
      ...{ id, fingerprint, rule, labels, summary, value, unit, inhibitedBy },
      ...known.data,
      ...marks.data,
      told: Object.fromEntries(entries),
      startedAtMs: startedAt.getTime(),
      firedAtMs: firedAt?.getTime() ?? null,
      resolvedAtMs: resolvedAt?.getTime() ?? null,
    },
  ]
}

function notificationRowOf(record: DispatchRecord): NotificationRow {
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

function dispatchOf({ receiver, body: stored }: NotificationRow): Dispatch[] {
  const parsed = body.safeParse(stored)
  return parsed.success ? [{ receiver, ...parsed.data }] : []
}

function silenceOf(row: { id: string; matchers: unknown; expiresAt: Date }): Silence[] {
  const parsed = matchers.safeParse(row.matchers)
  return parsed.success ? [{ id: row.id, matchers: parsed.data, expiresAtMs: row.expiresAt.getTime() }] : []
}
