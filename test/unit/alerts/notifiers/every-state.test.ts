// What each receiver gets of each rule: that it fires, that it still does, that it is resolved.
import { describe, expect, it } from 'vitest'
import { type OwnRuleName, ownRuleNames } from '../../../../src/alerts/alert-rules.ts'
import { buildNotification } from '../../../../src/alerts/build-notification.ts'
import type { Episode } from '../../../../src/alerts/episode.ts'
import type { Notification, NotificationReason } from '../../../../src/alerts/notification.ts'
import { postable } from '../../../../src/alerts/notifiers/alertmanager.ts'
import { emailContent } from '../../../../src/alerts/notifiers/email-content.ts'
import { pagerdutyEvent } from '../../../../src/alerts/notifiers/pagerduty.ts'
import { slackMessage } from '../../../../src/alerts/notifiers/slack.ts'
import { teamsMessage } from '../../../../src/alerts/notifiers/teams.ts'
import { headline } from '../../../../src/alerts/notifiers/wording.ts'
import { type RuleName, ruleNames } from '../../../../src/observe/finding.ts'
import { sampleEpisode } from '../sample-episode.ts'

type AlertName = RuleName | OwnRuleName

/** An alert of each rule, and the headline of its end. */
const alerts: Record<AlertName, { labels?: Record<string, string>; over: string }> = {
  KafkaUnreachable: { over: 'Kafka at kafka-1:9092,kafka-2:9092 answers again' },
  TopicMissing: { over: "the topic 'market-prices' is available again" },
  PartitionsOffline: { over: "every partition of 'market-prices' has a leader again" },
  KafkaDiskHigh: {
    labels: { broker: '1', directory: '/data' },
    over: 'the volume of /data on broker 1 has enough free space again',
  },
  PostgresUnreachable: { over: 'PostgreSQL at db:5432/bi_realtime answers and accepts writes again' },
  SchemaInvalid: { over: 'the schema at db:5432/bi_realtime fits this version and its settings again' },
  ClockSkew: { labels: { clock: 'broker' }, over: "the broker's clock agrees with this machine's again" },
  FeedSilent: { over: "'market-prices' receives messages again, or none are due now" },
  WorkerDown: {
    labels: { kind: 'consumer', worker: 'desk-1-4711' },
    over: 'the work of the consumer desk-1-4711 is done again',
  },
  NoConsumer: { over: "workers read all partitions of 'market-prices' again" },
  ConsumerStalled: { over: "no partition of 'market-prices' is stalled any more" },
  ConsumerLagHigh: { over: 'the consumer lag is below its limit again' },
  ConsumerLagGrowing: { over: 'the consumer lag has stopped growing' },
  ThroughputLow: { over: 'there is no slow backlog any more' },
  TransactionStuck: {
    labels: { partition: '2' },
    over: "no message in partition 2 of 'market-prices' waits for an old transaction any more",
  },
  PoolSaturated: { over: 'workers get their database connections in time again' },
  ErrorRateHigh: { over: 'the share of rejected messages is below its limit again' },
  DeadLettersGrowing: { over: 'the number of rejected messages is below its limit again' },
  KpiStale: { labels: { symbol: 'AAPL' }, over: 'AAPL has a fresh price again, or none is due now' },
  PrecisionLost: {
    labels: { symbol: 'PEPE/USDT' },
    over: 'numbers of PEPE/USDT keep their precision again',
  },
  NotifierFailing: {
    labels: { notifier: 'slack' },
    over: "the receiver 'slack' gets its alerts again, or none are due",
  },
  UserRuleFailing: { labels: { rule: 'MyRule' }, over: 'the rule MyRule can be evaluated again' },
  Watchdog: { over: 'alerts are no longer evaluated' },
}

const firedAtMs = Date.UTC(2026, 1, 14, 14, 30)
const problem = 'something is broken now'
const context = {
  source: { topic: 'market-prices', group: 'market-kpi-processor', evaluator: 'desk-1' },
  places: { kafka: 'kafka-1:9092,kafka-2:9092', postgres: 'db:5432/bi_realtime' },
  runbookBaseUrl: undefined,
}

function episode(rule: string, changes: Partial<Episode> = {}): Episode {
  const labels = alerts[rule as AlertName]?.labels ?? {}
  const found = { rule, severity: 'critical', labels, summary: problem, value: 7, unit: 'messages', firedAtMs } as const
  return sampleEpisode({ ...found, ...changes })
}

const over = { state: 'resolved', resolvedAtMs: firedAtMs + 245_000 } as const

function notified(reason: NotificationReason, one: Episode, runbookBaseUrl?: string): Notification {
  const pending = { reason, stage: one.stage, episodes: [one] }
  const head = { ...context, runbookBaseUrl }
  return buildNotification(pending, head, { receiver: 'r', nowMs: firedAtMs + 300_000 }).notification
}

/** All that people or machines read of a notification, by receiver. */
function texts(notification: Notification): Record<string, string> {
  const [alert] = notification.alerts
  if (!alert) throw new Error('a notification holds an alert')
  const { subject, text, html } = emailContent(notification, 'example.com')
  return {
    console: headline(alert),
    slack: JSON.stringify(slackMessage(notification)),
    teams: teamsMessage(notification),
    mail: `${subject}\n${text}`,
    html,
    alertmanager: JSON.stringify(postable(alert, notification, notification.sentAtMs)),
    pagerduty: JSON.stringify(pagerdutyEvent('key', { notification, alert, action: 'trigger' })),
    webhook: JSON.stringify(alert),
  }
}

describe.each([...ruleNames, ...ownRuleNames])('%s', (rule) => {
  it('says when it is resolved what is true again, and after how long', () => {
    const sent = notified('resolved', episode(rule, over))
    const labels = Object.entries(alerts[rule].labels ?? {}).map(([name, value]) => `${name}=${value}`)
    const shown = labels.length > 0 ? ` (${labels.join(', ')})` : ''
    expect(texts(sent).console).toBe(`✅ [RESOLVED] ${rule}: ${alerts[rule].over} after 4 min${shown}`)
  })

  it('sends no receiver the finding of a resolved alert', () => {
    for (const [receiver, text] of Object.entries(texts(notified('resolved', episode(rule, over))))) {
      expect(`${receiver}: ${text}`).not.toContain(problem)
    }
  })

  it('says what is wrong while it fires, and each time that it is repeated', () => {
    for (const reason of ['firing', 'repeat'] as const) {
      for (const [receiver, text] of Object.entries(texts(notified(reason, episode(rule))))) {
        expect(`${receiver}: ${text}`).toContain(problem)
        expect(`${receiver}: ${text}`).not.toMatch(/RESOLVED/)
      }
    }
  })

  it('names the command that says what to do, or the address where there is one', () => {
    const command = `market-kpi alerts explain ${rule}`
    const address = `https://docs.example/alerts/${rule}.md`
    for (const one of [episode(rule), episode(rule, over)]) {
      const { console: _, ...read } = texts(notified('firing', one))
      for (const [receiver, text] of Object.entries(read)) expect(`${receiver}: ${text}`).toContain(command)
      const { console: __, ...linked } = texts(notified('firing', one, 'https://docs.example/alerts/'))
      for (const [receiver, text] of Object.entries(linked)) {
        expect(`${receiver}: ${text.replaceAll('&#47;', '/')}`).toContain(address)
      }
    }
  })
})

it('an alert that nobody could check for an hour says that, and not that all is well', () => {
  const closed = episode('ConsumerStalled', { ...over, unknownSinceMs: firedAtMs })
  const [alert] = notified('resolved', closed).alerts
  expect(alert?.summary).toBe(
    'closed after 4 min, since it could not be checked for an hour; it fires again if it is still there',
  )
})

it('the end of a rule of market-kpi.yaml is sent too', () => {
  expect(texts(notified('resolved', episode('SpreadTooWide', over))).console).toBe(
    '✅ [RESOLVED] SpreadTooWide: its condition is no longer met after 4 min',
  )
})
