import type { Severity } from '../../observe/finding.ts'
import type { Notification, NotifiedAlert, Notifier } from '../notification.ts'
import { type Endpoint, postJson } from './http-post.ts'
import { isWebAddress } from './wording.ts'

/**
 * An alert that is not sent again for so long is over for Alertmanager: five of the minutes in which it is, so that a
 * few lost attempts resolve nothing, and a dead evaluator's alerts do not stay for ever.
 */
const holdMs = 5 * 60_000

/** Sends every alert to the API v2 of one Alertmanager. It groups, silences and repeats by itself. */
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

/** Beyond so many the oldest is forgotten, and ends by itself like all others. */
const maxTold = 5000

/**
 * For Alertmanager the severity is part of what an alert is: one that became critical would be two, of which the warning
 * lasts until it is missed. So that one is ended when the other begins.
 */
class ToldSeverities {
  readonly #told = new Map<string, Severity>()

  /** The same alert as it was told before, over since now. */
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

/** The API's `postableAlert`. What is over ends in the past; what fires ends a while from now, if it is not sent again. */
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

/** As Prometheus does: a name has letters, digits and `_` only, and one of ours does not hide one of the alert's. */
function renamed(labels: Readonly<Record<string, string>>, own: object): Record<string, string> {
  const pairs = Object.entries(labels).map(([name, value]) => {
    const valid = name.replace(/[^A-Za-z0-9_]/g, '_').replace(/^(?=\d)/, '_')
    return [valid in own ? `exported_${valid}` : valid, value] as const
  })
  return Object.fromEntries(pairs)
}
