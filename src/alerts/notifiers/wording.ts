import type { Severity } from '../../observe/finding.ts'
import type { Notification, NotifiedAlert } from '../notification.ts'

/** Each sign is shown with a word, for readers who cannot distinguish the colours. */
const signs: Record<Severity, string> = { critical: '🔴', warning: '🟡', info: '🟢' }

/**
 * `🔴 [CRITICAL] ConsumerStalled: partition 2 does not move (partition=2)`, or
 * `✅ [RESOLVED] KafkaUnreachable: Kafka at … answers again after 4 min`.
 */
export function headline(alert: NotifiedAlert): string {
  return oneLine(`${badge(alert)} ${alert.rule}: ${alert.summary}${labelText(alert.labels)}`)
}

export function badge({ state, severity }: NotifiedAlert): string {
  return state === 'resolved' ? '✅ [RESOLVED]' : `${signs[severity]} [${severity.toUpperCase()}]`
}

/** ` (partition=2, topic=prices)`; empty without labels. */
export function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`)
  return pairs.length > 0 ? ` (${pairs.join(', ')})` : ''
}

/** Removes line breaks and control characters: labels and templates of users may contain anything. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\s]+/gu, ' ').trim()
}

/** The title of a notification, for a subject line: `[FIRING:2] market-prices: ConsumerStalled, WorkerDown`. */
export function title({ status, alerts, source, reason }: Notification): string {
  const shown = status === 'firing' ? alerts.filter(({ state }) => state === 'firing') : alerts
  const rules = [...new Set(shown.map(({ rule }) => rule))]
  const more = rules.length > 4 ? ` and ${rules.length - 4} more` : ''
  const test = reason === 'test' ? '[TEST] ' : ''
  return oneLine(
    `${test}[${status.toUpperCase()}:${shown.length}] ${source.topic}: ${rules.slice(0, 4).join(', ')}${more}`,
  )
}

/** `since 2026-02-14 14:30:00 UTC`; for a resolved alert `from … to …`. */
export function since({ firedAtMs, resolvedAtMs }: NotifiedAlert): string {
  if (resolvedAtMs === null) return `since ${instant(firedAtMs)}`
  return `from ${instant(firedAtMs)} to ${instant(resolvedAtMs)}`
}

/** The reader's time zone is not known, so times are in UTC, and marked as such. */
export function instant(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

/** Names the pipeline and the evaluator. */
export function sourceLine({ source: { topic, group, evaluator } }: Notification): string {
  return `topic ${topic}, group ${group}, seen from ${evaluator}`
}

/** Cuts the text to `maxLength` UTF-16 units, ending with `…`, without splitting a surrogate pair. */
export function clip(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text
  return `${text.slice(0, maxLength - 1).replace(/[\ud800-\udbff]$/, '')}…`
}

/** The address of the runbook page, or, if there is none, the command that prints it. */
export function whatToDo({ runbookUrl, explainCommand }: NotifiedAlert): string {
  return runbookUrl ?? explainCommand
}

export function isWebAddress(url: string | null): url is string {
  return url !== null && /^https?:\/\//.test(url) && URL.canParse(url)
}
