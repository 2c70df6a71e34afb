import type { Severity } from '../../observe/finding.ts'
import type { Notification, NotifiedAlert, Notifier } from '../notification.ts'
import { type Endpoint, postJson } from './http-post.ts'
import { isWebAddress } from './wording.ts'

/**
 * Alertmanager resolves an alert that is not sent again within this time. Alerts are sent again every minute, so that a
 * few failed attempts do not resolve them, while the alerts of a dead evaluator do not remain for ever.
 */
const holdMs = 5 * 60_000

/** Sends every alert to the API v2 of one Alertmanager, which groups, silences and repeats by itself. */
export function alertmanagerNotifier(
  endpoint: Endpoint & { name: string },
  clock: { readonly nowMs: () => number },
): Notifier {
  const address = new URL(endpoint.url)
  address.pathname = `${address.pathname.replace(/\/+$/, '')}/api/v2/alerts`
  const place = { ...endpoint, url: address.href }
  const told = new ToldSeverities()
  return {
    name: endpoint.name,
    isForMachines: true,
    deliver: async (notification, signal) => {
      const nowMs = clock.nowMs()
      const alerts = notification.alerts.flatMap((alert) => [...told.outdatedBy(alert, nowMs), alert])
      const body = JSON.stringify(alerts.map((alert) => postable(alert, notification, nowMs)))
      const delivery = await postJson(place, { body, signal, nowMs: clock.nowMs })
      if (delivery.outcome === 'delivered') for (const alert of notification.alerts) told.note(alert)
      return delivery
    },
    close: async () => {},
  }
}

/** At most this many are kept. The oldest is dropped, and Alertmanager resolves it once it is not sent again. */
const maxTold = 5000

/**
 * The severities that Alertmanager was sent. For Alertmanager the severity is part of an alert's identity: after a
 * warning becomes critical it would have two alerts, and keep the warning until it times out. So the warning is
 * resolved when the critical alert is sent.
 */
class ToldSeverities {
  readonly #told = new Map<string, Severity>()

  /** The alert with the severity that was sent before, as resolved; empty if the severity has not changed. */
  outdatedBy(alert: NotifiedAlert, nowMs: number): NotifiedAlert[] {
    const severity = this.#told.get(alert.fingerprint)
    if (severity === undefined || severity === alert.severity) return []
    return [{ ...alert, severity, state: 'resolved', resolvedAtMs: Math.max(nowMs, alert.firedAtMs) }]
  }

  note({ fingerprint, severity, state }: NotifiedAlert): void {
    this.#told.delete(fingerprint)
    if (state === 'resolved') return
    this.#told.set(fingerprint, severity)
    const [oldest] = this.#told.keys()
    if (this.#told.size > maxTold && oldest !== undefined) this.#told.delete(oldest)
  }
}

/**
 * Builds the API's `postableAlert`. A resolved alert has its end time; a firing one ends five minutes from now, unless
 * it is sent again.
 */
export function postable(alert: NotifiedAlert, { source }: Notification, nowMs: number): object {
  const { fingerprint, value, unit, runbookUrl, explainCommand, summary } = alert
  const own = {
    alertname: alert.rule,
    severity: alert.severity,
    stage: alert.stage,
    topic: source.topic,
    consumer_group: source.group,
  }
  return {
    labels: { ...renamed(alert.labels, own), ...own },
    annotations: {
      summary,
      fingerprint,
      ...(runbookUrl === null ? {} : { runbook_url: runbookUrl }),
      what_to_do: explainCommand,
      ...(value === null ? {} : { value: unit === null ? String(value) : `${value} ${unit}` }),
    },
    startsAt: new Date(alert.firedAtMs).toISOString(),
    endsAt: new Date(alert.resolvedAtMs ?? nowMs + holdMs).toISOString(),
    ...(isWebAddress(runbookUrl) ? { generatorURL: runbookUrl } : {}),
  }
}

/**
 * Converts label names as Prometheus does: other characters than letters, digits and `_` are replaced by `_`, and a
 * label with the name of one of ours gets the prefix `exported_`.
 */
function renamed(labels: Readonly<Record<string, string>>, own: object): Record<string, string> {
  const pairs = Object.entries(labels).map(([name, value]) => {
    const valid = name.replace(/[^A-Za-z0-9_]/g, '_').replace(/^(?=\d)/, '_')
    return [valid in own ? `exported_${valid}` : valid, value] as const
  })
  return Object.fromEntries(pairs)
}
