import { createHash } from 'node:crypto'
import { ownRuleNames, rulePatience } from './alert-rules.ts'
import type { Dispatch } from './alert-store.ts'
import type { Episode } from './episode.ts'
import type { Notification, NotifiedAlert } from './notification.ts'
import type { Telling } from './what-to-tell.ts'

/** What is the same in all notifications of an evaluator. */
export interface Letterhead {
  readonly source: Notification['source']
  /** Where docs/alerts/ can be read; undefined names the pages as they lie in the package. */
  readonly runbookBaseUrl: string | undefined
}

export function compose(
  telling: Telling,
  { source, runbookBaseUrl }: Letterhead,
  { receiver, nowMs }: { readonly receiver: string; readonly nowMs: number },
): Dispatch {
  const { reason, stage, episodes } = telling
  return {
    receiver,
    notification: {
      id: notificationId(telling, receiver, nowMs),
      groupKey: `${source.topic}/${source.group}/${stage}`,
      reason,
      status: reason === 'resolved' ? 'resolved' : 'firing',
      alerts: episodes.map((episode) => notifiedAlert(episode, runbookBaseUrl)),
      source,
      sentAtMs: nowMs,
    },
    episodes: episodes.map(({ id, fingerprint }) => ({ id, fingerprint })),
  }
}

/**
 * The same wherever the same beginning or end is told: an evaluator that was killed before it could write down what it had
 * told is followed by one that tells it again, and receivers that remember ids hear it once.
 */
function notificationId({ reason, episodes }: Telling, receiver: string, nowMs: number): string {
  const isOnce = reason === 'firing' || reason === 'resolved'
  const what = episodes.map(({ id, severity }) => `${id} ${severity}`).sort()
  const text = JSON.stringify([receiver, reason, what, isOnce ? 0 : nowMs])
  const digits = createHash('sha256').update(text).digest('hex')
  // Version 8 of RFC 9562: of one's own making.
  const [a, b, c, d, e] = [
    [0, 8],
    [8, 12],
    [13, 16],
    [17, 20],
    [20, 32],
  ].map(([from, to]) => digits.slice(from, to))
  return `${a}-${b}-8${c}-8${d}-${e}`
}

function notifiedAlert(episode: Episode, runbookBaseUrl: string | undefined): NotifiedAlert {
  const { fingerprint, rule, severity, stage, labels, summary, value, unit, resolvedAtMs } = episode
  return {
    fingerprint,
    ...{ rule, severity, stage, labels, summary, value, unit, resolvedAtMs },
    state: resolvedAtMs === null ? 'firing' : 'resolved',
    firedAtMs: episode.firedAtMs ?? episode.startedAtMs,
    runbookUrl: runbookUrl(rule, runbookBaseUrl),
  }
}

const ownPages: readonly string[] = ownRuleNames

/** Rules of a market-kpi.yaml have no page of their own. */
export function runbookUrl(rule: string, baseUrl: string | undefined): string {
  const page = rule in rulePatience || ownPages.includes(rule) ? rule : 'README'
  return `${(baseUrl ?? 'docs/alerts').replace(/\/+$/, '')}/${page}.md`
}
