import type { Notification, NotifiedAlert, Notifier } from '../notification.ts'
import { type Endpoint, postJson } from './http-post.ts'
import { badge, clip, isWebAddress, labelText, since, sourceLine, title, whatToDo } from './wording.ts'

// A header has at most 150 characters, a section 3000, and a message 50 blocks:
// https://docs.slack.dev/reference/block-kit/blocks
const maxHeader = 150
const maxSection = 3000
const maxAlerts = 20
/** Keeps the parts of a section together below its limit. */
const maxLink = 500
/**
 * Slack recommends texts below 4000 characters:
 * https://docs.slack.dev/changelog/2018-truncating-really-long-messages
 */
const maxText = 3000

/**
 * Posts to an incoming webhook of Slack. Slack answers 4xx to requests that it will never accept, so the status code is
 * sufficient.
 */
export function slackNotifier(endpoint: Endpoint, nowMs: () => number): Notifier {
  return {
    name: 'slack',
    isForMachines: false,
    deliver: (notification, signal) =>
      postJson(endpoint, { body: JSON.stringify(slackMessage(notification)), signal, nowMs }),
    close: async () => {},
  }
}

export function slackMessage(notification: Notification): object {
  const { alerts } = notification
  const heading = title(notification)
  const left = alerts.length - maxAlerts
  const footer = `${sourceLine(notification)}${left > 0 ? `; and ${left} more alerts` : ''}`
  return {
    // Shown in notifications on phones, and read by screen readers.
    text: escaped(`${heading}: ${alerts[0]?.summary ?? ''}`, maxText),
    unfurl_links: false,
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: clip(heading, maxHeader) } },
      ...alerts.slice(0, maxAlerts).map((alert) => ({
        type: 'section',
        text: { type: 'mrkdwn', text: alertText(alert) },
      })),
      { type: 'context', elements: [{ type: 'mrkdwn', text: escaped(footer, maxSection) }] },
    ],
  }
}

function alertText(alert: NotifiedAlert): string {
  const what = `${badge(alert)} *${escaped(alert.rule, 100)}*: ${escaped(alert.summary, 1500)}`
  return `${what}\n${escaped(`${since(alert)}${labelText(alert.labels)}`, 800)}\n${page(alert)}`
}

function page(alert: NotifiedAlert): string {
  const { runbookUrl: url } = alert
  // In Slack's markup a URL ends at `|` or `>`.
  const link = isWebAddress(url) ? new URL(url).href.replaceAll('|', '%7C').replaceAll('&', '&amp;') : ''
  if (link !== '' && link.length <= maxLink) return `<${link}|What to do>`
  return `What to do: ${escaped(link === '' ? whatToDo(alert) : alert.explainCommand, maxLink)}`
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

/**
 * Escapes Slack's three control characters, so that no text can mention a whole channel, and cuts the text without
 * splitting an entity.
 */
export function escaped(text: string, maxLength: number): string {
  const whole = text.replace(/[&<>]/g, (character) => entities[character] ?? character)
  if (whole.length <= maxLength) return whole
  let cut = ''
  for (const character of text) {
    const next = entities[character] ?? character
    if (cut.length + next.length >= maxLength) break
    cut += next
  }
  return `${cut}…`
}
