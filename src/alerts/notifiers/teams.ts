import type { Severity } from '../../observe/finding.ts'
import type { Notification, NotifiedAlert, Notifier } from '../notification.ts'
import { type Endpoint, postJson } from './http-post.ts'
import { badge, clip, isWebAddress, labelText, since, sourceLine, title, whatToDo } from './wording.ts'

/** Teams accepts messages of up to 28 KB, including what Workflows adds. */
export const maxMessageBytes = 24 * 1024
const maxAlerts = 20
const maxSummary = 1000
/** Teams hides further buttons in a menu. */
const maxButtons = 4

/** Posts an Adaptive Card to a Workflows webhook of Microsoft Teams, which answers 202. */
export function teamsNotifier(endpoint: Endpoint, nowMs: () => number): Notifier {
  return {
    name: 'teams',
    isForMachines: false,
    deliver: (notification, signal) => postJson(endpoint, { body: teamsMessage(notification), signal, nowMs }),
    close: async () => {},
  }
}

/** Builds a message with as many of the alerts as fit. */
export function teamsMessage(notification: Notification): string {
  let shown = Math.min(maxAlerts, notification.alerts.length)
  let message = JSON.stringify(messageWith(notification, shown))
  while (Buffer.byteLength(message) > maxMessageBytes && shown > 1) {
    shown -= 1
    message = JSON.stringify(messageWith(notification, shown))
  }
  return message
}

function messageWith(notification: Notification, shown: number): object {
  const alerts = notification.alerts.slice(0, shown)
  const left = notification.alerts.length - shown
  const footer = `${sourceLine(notification)}${left > 0 ? `; and ${left} more alerts` : ''}`
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    msteams: { width: 'Full' },
    fallbackText: clip(title(notification), 300),
    body: [
      line(clip(title(notification), 300), { weight: 'bolder', size: 'large' }),
      ...alerts.map(alertContainer),
      line(clip(footer, 1000), { isSubtle: true, size: 'small' }),
    ],
    actions: buttons(alerts),
  }
  return {
    type: 'message',
    attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content }],
  }
}

const colourOf: Record<Severity, string> = { critical: 'attention', warning: 'warning', info: 'accent' }

function alertContainer(alert: NotifiedAlert): object {
  const colour = alert.state === 'resolved' ? 'good' : colourOf[alert.severity]
  const page = isWebAddress(alert.runbookUrl) ? '' : `. What to do: ${whatToDo(alert)}`
  return {
    type: 'Container',
    separator: true,
    items: [
      line(`${badge(alert)} ${clip(alert.rule, 100)}`, { color: colour, weight: 'bolder' }),
      line(clip(alert.summary, maxSummary)),
      line(clip(`${since(alert)}${labelText(alert.labels)}${page}`, maxSummary), { isSubtle: true }),
    ],
  }
}

/** A text run does not interpret Markdown, so a symbol with brackets in its name does not become a link. */
function line(text: string, style: Readonly<Record<string, unknown>> = {}): object {
  return { type: 'RichTextBlock', inlines: [{ type: 'TextRun', text, ...style }] }
}

/** One button for each runbook page. */
function buttons(alerts: readonly NotifiedAlert[]): object[] {
  const pages = new Map(
    alerts.flatMap(({ rule, runbookUrl }) => (isWebAddress(runbookUrl) ? [[runbookUrl, rule] as const] : [])),
  )
  const links = [...pages].slice(0, maxButtons)
  return links.map(([url, rule]) => ({ type: 'Action.OpenUrl', title: clip(`What to do: ${rule}`, 60), url }))
}
