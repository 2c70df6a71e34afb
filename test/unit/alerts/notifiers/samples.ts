import type { Notification, NotifiedAlert } from '../../../../src/alerts/notification.ts'

const firedAtMs = Date.UTC(2026, 1, 14, 14, 30)

export function anAlert(changes: Partial<NotifiedAlert> = {}): NotifiedAlert {
  return {
    fingerprint: '0123456789abcdef',
    rule: 'ConsumerStalled',
    severity: 'critical',
    stage: 'consumer',
    state: 'firing',
    labels: { partition: '2' },
    summary: 'partition 2 has not moved for 60 s, with 1,204 messages waiting',
    value: 1204,
    unit: 'messages',
    firedAtMs,
    resolvedAtMs: null,
    runbookUrl: null,
    explainCommand: 'market-kpi alerts explain ConsumerStalled',
    ...changes,
  }
}

/** The same alert once it is over. */
export function resolved(alert: NotifiedAlert = anAlert()): NotifiedAlert {
  return { ...alert, state: 'resolved', resolvedAtMs: alert.firedAtMs + 600_000 }
}

export function aNotification(changes: Partial<Notification> = {}): Notification {
  const alerts = changes.alerts ?? [anAlert()]
  const isOver = alerts.every(({ state }) => state === 'resolved')
  return {
    id: '5b7f3c1e-0000-4000-8000-000000000001',
    groupKey: 'market-prices/market-kpi-processor/consumer',
    reason: isOver ? 'resolved' : 'firing',
    status: isOver ? 'resolved' : 'firing',
    alerts,
    source: { topic: 'market-prices', group: 'market-kpi-processor', evaluator: 'desk-1' },
    sentAtMs: firedAtMs + 60_000,
    ...changes,
  }
}
