// Decides which notification a receiver gets next. It is derived from the episodes each time, so no queue grows while a
// receiver is down: when it is back, it gets the state of that moment. Pure.

import { isAtLeast, type Severity, type Stage, severities, stages } from '../observe/finding.ts'
import type { Episode } from './episode.ts'
import type { NotificationReason } from './notification.ts'
import { isSilenced, type Silence } from './silence.ts'

/**
 * After this time an alert that still fires is sent again: an hour if critical, four if a warning. Information is sent
 * once.
 */
const repeatMs: Record<Severity, number> = { critical: 3_600_000, warning: 14_400_000, info: Number.POSITIVE_INFINITY }
/** Receivers that keep alerts themselves drop one that is not sent again: Alertmanager after five minutes. */
const machineRepeatMs = 60_000

export interface Receiver {
  readonly name: string
  readonly isForMachines: boolean
}

/** Which notifications an evaluator may send in its role; see leadership.ts. */
export interface NotifyPermission {
  mayNotify(episode: Episode): boolean
  mayResolve(episode: Episode, receiver: string): boolean
}

/** A notification to send, before its texts are built. */
export interface PendingNotification {
  readonly reason: NotificationReason
  readonly stage: Stage
  /** Worst first. */
  readonly episodes: readonly Episode[]
}

/** `resolved` comes first, so that an alert that fires again is not mistaken for the earlier one. */
const reasons = ['resolved', 'firing', 'repeat', 'watchdog'] as const

/** @returns Undefined if nothing has to be sent to the receiver. */
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

/** The watchdog is not sent to people, and a failing receiver is not sent the alert about its own failure. */
function isNotFor({ name, isForMachines }: Receiver, { rule, labels }: Episode): boolean {
  return (rule === 'Watchdog' && !isForMachines) || (rule === 'NotifierFailing' && labels.notifier === name)
}
