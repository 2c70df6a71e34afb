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
  { reason, stage, episodes }: Telling,
  { source, runbookBaseUrl }: Letterhead,
  given: { readonly receiver: string; readonly id: string; readonly nowMs: number },
): Dispatch {
  return {
    receiver: given.receiver,
    notification: {
      id: given.id,
      groupKey: `${source.topic}/${source.group}/${stage}`,
      reason,
      status: reason === 'resolved' ? 'resolved' : 'firing',
      alerts: episodes.map((episode) => notifiedAlert(episode, runbookBaseUrl)),
      source,
      sentAtMs: given.nowMs,
    },
    episodes: episodes.map(({ id, fingerprint }) => ({ id, fingerprint })),
  }
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
