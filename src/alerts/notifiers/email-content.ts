import type { Notification, NotifiedAlert } from '../notification.ts'
import { clip, headline, instant, isWebAddress, since, sourceLine, title, whatToDo } from './wording.ts'

const maxAlerts = 100
const maxSubject = 200
/** Some servers refuse headers beyond 2000 characters; a reference has about 80. */
const maxReferences = 10

/** Subject, both bodies and the headers of an e-mail; the caller adds sender and recipients. */
export interface EmailContent {
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly messageId: string
  readonly references: string[]
  readonly inReplyTo: string
  readonly headers: Record<string, string>
}

/**
 * @param domain - The sender's domain, used in message ids.
 */
export function emailContent(notification: Notification, domain: string): EmailContent {
  const references = notification.alerts.slice(0, maxReferences).map((alert) => threadId(alert, domain))
  return {
    subject: clip(title(notification), maxSubject),
    text: textBody(notification),
    html: htmlBody(notification),
    // The same in each attempt: if the server accepted the message but its answer was lost, it can detect the
    // duplicate.
    messageId: `<${notification.id.replace(/[^A-Za-z0-9.-]/g, '-')}@${domain}>`,
    references,
    inReplyTo: references[0] ?? '',
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
  }
}

/**
 * Identifies an episode. No message has this id, but all messages about the episode refer to it, so that mail programs
 * show FIRING, repeats and RESOLVED in one thread, without the evaluator having to store what was sent.
 */
function threadId({ fingerprint, firedAtMs }: NotifiedAlert, domain: string): string {
  return `<${fingerprint}.${firedAtMs}@${domain}>`
}

function textBody(notification: Notification): string {
  const { alerts, sentAtMs } = notification
  const blocks = alerts
    .slice(0, maxAlerts)
    .map((alert) => `${headline(alert)}\n  ${since(alert)}\n  What to do: ${whatToDo(alert)}`)
  return `${[...blocks, ...overflow(alerts.length), `${sourceLine(notification)}, ${instant(sentAtMs)}`].join('\n\n')}\n`
}

function htmlBody(notification: Notification): string {
  const { alerts, sentAtMs } = notification
  const blocks = alerts.slice(0, maxAlerts).map((alert) => {
    const page = isWebAddress(alert.runbookUrl)
      ? `<a href="${asHtml(alert.runbookUrl)}">What to do</a>`
      : `What to do: ${asHtml(whatToDo(alert))}`
    return `<p><b>${asHtml(headline(alert))}</b><br>${asHtml(since(alert))}<br>${page}</p>`
  })
  const more = overflow(alerts.length).map((line) => `<p>${line}</p>`)
  const footer = `<p><small>${asHtml(`${sourceLine(notification)}, ${instant(sentAtMs)}`)}</small></p>`
  return ['<!doctype html><meta charset="utf-8">', ...blocks, ...more, footer].join('\n')
}

function overflow(count: number): string[] {
  return count > maxAlerts ? [`And ${count - maxAlerts} more alerts: market-kpi alerts list`] : []
}

function asHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
