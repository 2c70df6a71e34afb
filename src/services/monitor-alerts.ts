import { userInfo } from 'node:os'
import { isSilenced } from '../alerts/silence.ts'
import type { Config } from '../config/load.ts'
import type { AlertsPort, FiringAlert } from '../monitor/monitor-ports.ts'
import { severities, stages } from '../observe/finding.ts'
import type { AlertRow } from '../store/alerts/alert-session.ts'
import { addSilence, listSilences, type SilenceRow } from '../store/alerts/alert-silences.ts'
import { listOpenAlerts } from '../store/alerts/alerts.ts'
import { postgresOptions } from '../store/client/connection.ts'
import { withProbe } from '../store/client/probe.ts'
import { withDatabase } from './servers.ts'

const limits = { connectTimeoutMs: 2500, statementTimeoutMs: 2000, applicationName: 'market-kpi monitor' }

/** The alerts that the evaluator has stored, for the monitor. Each read uses a new connection. */
export function monitorAlerts(config: Config): AlertsPort {
  const options = postgresOptions(config)
  return {
    firing: (signal) =>
      withProbe(options, limits, signal, async (probe) => {
        const asked = { query: <R extends object>({ text, values }: Query) => probe.query<R>(text, values) }
        const alerts = await listOpenAlerts(asked)
        return firingOf(alerts, alerts.length > 0 ? await listSilences(asked) : [], Date.now())
      }),
    silence: async ({ rule, labels }, durationSeconds) => {
      const matchers = Object.entries({ rule, ...labels }).map(([name, value]) => ({ name, value }))
      const given = { matchers, comment: 'from the monitor', createdBy: userInfo().username }
      const forMs = durationSeconds * 1000
      await withDatabase(config, 'monitor', (database) => addSilence(database, { ...given, forMs }))
    },
  }
}

interface Query {
  readonly text: string
  readonly values?: unknown[]
}

/** The alerts for which notifications are sent, or would be sent if they were not silenced; without the watchdog. */
export function firingOf(
  alerts: readonly AlertRow[],
  silences: readonly SilenceRow[],
  nowMs: number,
): readonly FiringAlert[] {
  return alerts
    .filter(({ rule, state, inhibitedBy }) => state === 'firing' && inhibitedBy === null && rule !== 'Watchdog')
    .map(({ rule, labels, summary, startedAt, firedAt, ...row }) => {
      const severity = severities.find((known) => known === row.severity) ?? 'warning'
      const stage = stages.find((known) => known === row.stage) ?? 'kpi'
      const silencedUntilMs = silencedUntil({ rule, severity, stage, labels }, silences, nowMs)
      return { rule, severity, labels, summary, firedAtMs: (firedAt ?? startedAt).getTime(), silencedUntilMs }
    })
}

function silencedUntil(
  alert: Parameters<typeof isSilenced>[0],
  silences: readonly SilenceRow[],
  nowMs: number,
): number | null {
  const ends = silences
    .map(({ id, matchers, expiresAt }) => ({ id: String(id), matchers, expiresAtMs: expiresAt.getTime() }))
    .filter((silence) => isSilenced(alert, [silence], nowMs))
    .map(({ expiresAtMs }) => expiresAtMs)
  return ends.length > 0 ? Math.max(...ends) : null
}
