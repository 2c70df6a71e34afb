// Which notification a receiver has to get next. It is derived from the episodes each time, so no queue grows while a
// receiver is down: when it is back, it gets what is true then. Pure.

import { isAtLeast, type Severity, type Stage, severities, stages } from '../observe/finding.ts'
import type { Episode } from './episode.ts'
import type { NotificationReason } from './notification.ts'
import { isSilenced, type Silence } from './silence.ts'

/** After how long an alert that still fires is sent again. Information is sent once. */
const repeatMs: Record<Severity, number> = { critical: 3_600_000, warning: 14_400_000, info: Number.POSITIVE_INFINITY }
/** Receivers that keep state forget an alert that is not sent again: Alertmanager after five minutes. */
const machineRepeatMs = 60_000

export interface Receiver {
  readonly name: string
  readonly isForMachines: boolean
}

/** What an evaluator may send; see leadership.ts. */
export interface NotifyPermission {
  mayNotify(episode: Episode): boolean
  mayResolve(episode: Episode, receiver: string): boolean
}

/** What has to be sent, before it is put into words. */
export interface PendingNotification {
  readonly reason: NotificationReason
  readonly stage: Stage
  /** Worst first. */
  readonly episodes: readonly Episode[]
}

/** Ends come first, so that an alert that came back is not taken for the one before. */
const reasons = ['resolved', 'firing', 'repeat', 'watchdog'] as const

/** @returns Undefined when the receiver knows all that it should. */
export function nextNotification(
  episodes: readonly Episode[],
  receiver: Receiver,
  scene: {
    readonly nowMs: number
    readonly silences: readonly Silence[]
    readonly permission: NotifyPermission
  },
): PendingNotification | undefined {
  const due = episodes.flatMap((episode) => {
    const reason = reasonToNotify(episode, receiver, scene)
    return reason ? [{ episode, reason }] : []
  })
  for (const reason of reasons) {
    for (const stage of stages) {
      const group = due.filter((one) => one.reason === reason && one.episode.stage === stage)
      if (group.length > 0) return { reason, stage, episodes: group.map(({ episode }) => episode).sort(worstFirst) }
    }
  }
  return undefined
}

function worstFirst(a: Episode, b: Episode): number {
  return severities.indexOf(b.severity) - severities.indexOf(a.severity)
}

function reasonToNotify(
  episode: Episode,
  receiver: Receiver,
  { nowMs, silences, permission }: Parameters<typeof nextNotification>[2],
): (typeof reasons)[number] | undefined {
  const delivery = episode.deliveries[receiver.name]
  if (episode.state === 'resolved') {
    return delivery?.status === 'firing' && permission.mayResolve(episode, receiver.name) ? 'resolved' : undefined
  }
  if (episode.state !== 'firing' || !permission.mayNotify(episode) || isNotFor(receiver, episode)) return undefined
  if (episode.inhibitedBy !== null || isSilenced(episode, silences, nowMs)) return undefined
  const isWatchdog = episode.rule === 'Watchdog'
  if (!delivery) return isWatchdog ? 'watchdog' : 'firing'
  const isWorse = delivery.severity !== episode.severity && isAtLeast(episode.severity, delivery.severity)
  if (delivery.status === 'firing' && isWorse) return 'firing'
  const everyMs = receiver.isForMachines ? machineRepeatMs : repeatMs[episode.severity]
  if (nowMs - delivery.atMs < everyMs) return undefined
  if (isWatchdog) return 'watchdog'
  return delivery.status === 'firing' ? 'repeat' : 'firing'
}

/** People need no sign of life, and a receiver that fails cannot receive that it fails. */
function isNotFor({ name, isForMachines }: Receiver, { rule, labels }: Episode): boolean {
  return (rule === 'Watchdog' && !isForMachines) || (rule === 'NotifierFailing' && labels.notifier === name)
}
