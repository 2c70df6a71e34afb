import { createHash } from 'node:crypto'
import { span } from '../observe/rules/rule.ts'
import type { Dispatch } from './alert-store.ts'
import type { Episode } from './episode.ts'
import type { PendingNotification } from './next-notification.ts'
import type { Notification, NotifiedAlert } from './notification.ts'
import { hasTexts, type Places, resolvedText } from './rule-texts.ts'

/** What is the same in all notifications of an evaluator. */
export interface NotificationContext {
  readonly source: Notification['source']
  /** Where docs/alerts/ can be read; undefined where ALERT_RUNBOOK_BASE_URL is not set. */
  readonly runbookBaseUrl: string | undefined
  /** As the texts of resolved alerts name them. */
  readonly places: Omit<Places, 'topic'>
}

/** Puts a pending notification into words, with an id. */
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
 * The same for the same beginning or end, whoever sends it: an evaluator that was killed before it could save what it had
 * sent is followed by one that sends it again, and receivers that remember ids drop the second one.
 */
function notificationId({ reason, episodes }: PendingNotification, receiver: string, nowMs: number): string {
  const isOnce = reason === 'firing' || reason === 'resolved'
  const what = episodes.map(({ id, severity }) => `${id} ${severity}`).sort()
  const text = JSON.stringify([receiver, reason, what, isOnce ? 0 : nowMs])
  const digits = createHash('sha256').update(text).digest('hex')
  // Version 8 of RFC 9562, whose digits may be anything.
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

/** What the alert found is over, so its summary in the present tense would be wrong. */
function resolvedSummary(episode: Episode, seconds: number, places: Places): string {
  const after = `after ${span(Math.max(0, seconds))}`
  // No observation saw it end: see `maxUnknownMs` in state-machine.ts.
  if (episode.unknownSinceMs !== null) {
    return `closed ${after}, since it could not be checked for an hour; it fires again if it is still there`
  }
  return `${resolvedText(episode, places)} ${after}`
}

/** Where people read what to do: the address of the rule's page, if there is one, and the command that prints the page. */
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
