import type { Severity } from '../../observe/finding.ts'
import type { Notification, NotifiedAlert } from '../notification.ts'

/** Each sign has a word beside it: colours alone tell nothing to the colour-blind. */
const signs: Record<Severity, string> = { critical: '🔴', warning: '🟡', info: '🟢' }

/** `🔴 [CRITICAL] ConsumerStalled: partition 2 does not move (partition=2)`, `✅ [RESOLVED] KafkaUnreachable: Kafka at … answers again after 4 min`. */
export function headline(alert: NotifiedAlert): string {
  return oneLine(`${badge(alert)} ${alert.rule}: ${alert.summary}${labelText(alert.labels)}`)
}

export function badge({ state, severity }: NotifiedAlert): string {
  return state === 'resolved' ? '✅ [RESOLVED]' : `${signs[severity]} [${severity.toUpperCase()}]`
}

/** ` (partition=2, topic=prices)`, or nothing where there are none. */
export function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`)
  return pairs.length > 0 ? ` (${pairs.join(', ')})` : ''
}

/** Labels and templates of users may hold anything. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\s]+/gu, ' ').trim()
}

/** What a subject line or a list of channels shows of the whole notification: `[FIRING:2] market-prices: ConsumerStalled, WorkerDown`. */
export function title({ status, alerts, source, reason }: Notification): string {
  const shown = status === 'firing' ? alerts.filter(({ state }) => state === 'firing') : alerts
  const rules = [...new Set(shown.map(({ rule }) => rule))]
  const more = rules.length > 4 ? ` and ${rules.length - 4} more` : ''
  const test = reason === 'test' ? '[TEST] ' : ''
  return oneLine(
    `${test}[${status.toUpperCase()}:${shown.length}] ${source.topic}: ${rules.slice(0, 4).join(', ')}${more}`,
  )
}

/** `since 2026-02-14 14:30:00 UTC`, or from when to when. */
export function since({ firedAtMs, resolvedAtMs }: NotifiedAlert): string {
  if (resolvedAtMs === null) return `since ${instant(firedAtMs)}`
  return `from ${instant(firedAtMs)} to ${instant(resolvedAtMs)}`
}

/** Receivers know no time zone of the reader: UTC, and said so. */
export function instant(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

/** Which pipeline this is about, and who looked. */
export function sourceLine({ source: { topic, group, evaluator } }: Notification): string {
  return `topic ${topic}, group ${group}, seen from ${evaluator}`
}

/** Cut to so many UTF-16 units, the last of them a sign that it was cut. No character is torn. */
export function clip(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text
  return `${text.slice(0, maxLength - 1).replace(/[\ud800-\udbff]$/, '')}…`
}

/** The address of the page that says what to do, where a receiver can open it by a click; else the command that prints it. */
export function whatToDo({ runbookUrl, explainCommand }: NotifiedAlert): string {
  return runbookUrl ?? explainCommand
}

export function isWebAddress(url: string | null): url is string {
  return url !== null && /^https?:\/\//.test(url) && URL.canParse(url)
}
