import { createHash } from 'node:crypto'
import { span } from '../observe/rules/rule.ts'
import type { Dispatch } from './alert-store.ts'
import type { Episode } from './episode.ts'
import type { PendingNotification } from './next-notification.ts'
import type { Notification, NotifiedAlert } from './notification.ts'
import { hasTexts, type Places, resolvedText } from './rule-texts.ts'

/** Values that are the same in all notifications of an evaluator. */
export interface NotificationContext {
  readonly source: Notification['source']
  /** The address of docs/alerts/; undefined if ALERT_RUNBOOK_BASE_URL is not set. */
  readonly runbookBaseUrl: string | undefined
  /** Addresses for the texts of resolved alerts. */
  readonly places: Omit<Places, 'topic'>
}

/** Builds the notification with its texts and its id. */
export function buildNotification(
  pending: PendingNotification,
  { source, runbookBaseUrl, places }: NotificationContext,
  { receiver, nowMs }: { readonly receiver: string; readonly nowMs: number },
): Dispatch {
  const { reason, stage, episodes } = pending
  return {
    receiver,
    notification: {
      id: notificationId(pending, receiver, nowMs),
      groupKey: `${source.topic}/${source.group}/${stage}`,
      reason,
      status: reason === 'resolved' ? 'resolved' : 'firing',
      alerts: episodes.map((episode) =>
        notifiedAlert(episode, { runbookBaseUrl, places: { ...places, topic: source.topic } }),
      ),
      source,
      sentAtMs: nowMs,
    },
    episodes: episodes.map(({ id, fingerprint }) => ({ id, fingerprint })),
  }
}

/**
 * The id of a `firing` or `resolved` notification is the same whichever evaluator sends it. If an evaluator is killed
 * before it can save what it sent, the next leader sends the notification again, and receivers that remember ids drop
 * the second one.
 */
function notificationId({ reason, episodes }: PendingNotification, receiver: string, nowMs: number): string {
  const isOnce = reason === 'firing' || reason === 'resolved'
  const what = episodes.map(({ id, severity }) => `${id} ${severity}`).sort()
  const text = JSON.stringify([receiver, reason, what, isOnce ? 0 : nowMs])
  const digits = createHash('sha256').update(text).digest('hex')
  // A UUID of version 8 (RFC 9562), which allows any digits.
  const [a, b, c, d, e] = [
    [0, 8],
    [8, 12],
    [13, 16],
    [17, 20],
    [20, 32],
  ].map(([from, to]) => digits.slice(from, to))
  return `${a}-${b}-8${c}-8${d}-${e}`
}

function notifiedAlert(
  episode: Episode,
  { runbookBaseUrl, places }: { readonly runbookBaseUrl: string | undefined; readonly places: Places },
): NotifiedAlert {
  const { fingerprint, rule, severity, stage, labels, value, unit, resolvedAtMs, startedAtMs } = episode
  const firedAtMs = episode.firedAtMs ?? startedAtMs
  return {
    fingerprint,
    ...{ rule, severity, stage, labels, value, unit, resolvedAtMs, firedAtMs },
    summary:
      resolvedAtMs === null ? episode.summary : resolvedSummary(episode, (resolvedAtMs - firedAtMs) / 1000, places),
    state: resolvedAtMs === null ? 'firing' : 'resolved',
    ...guidance(rule, runbookBaseUrl),
  }
}

/** The text of a resolved alert: its summary describes the problem in the present tense, which would be wrong now. */
function resolvedSummary(episode: Episode, seconds: number, places: Places): string {
  const after = `after ${span(Math.max(0, seconds))}`
  // The episode was closed without an observation: see `maxUnknownMs` in state-machine.ts.
  if (episode.unknownSinceMs !== null) {
    return `closed ${after}, since it could not be checked for an hour; it fires again if it is still there`
  }
  return `${resolvedText(episode, places)} ${after}`
}

/** The address of the rule's runbook page, if ALERT_RUNBOOK_BASE_URL is set, and the command that prints the page. */
export function guidance(
  rule: string,
  baseUrl: string | undefined,
): Pick<NotifiedAlert, 'runbookUrl' | 'explainCommand'> {
  return {
    // Rules of a market-kpi.yaml have no page of their own.
    runbookUrl: baseUrl === undefined ? null : `${baseUrl.replace(/\/+$/, '')}/${hasTexts(rule) ? rule : 'README'}.md`,
    explainCommand: `market-kpi alerts explain ${rule}`,
  }
}
