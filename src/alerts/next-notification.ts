// Which notification a receiver is owed next. Worked out from the state each time, so nothing piles up for a receiver that is
// away: when it is back it is told what is true then. Pure.

import { isAtLeast, type Severity, type Stage, severities, stages } from '../observe/finding.ts'
import type { Episode } from './episode.ts'
import type { NotificationReason } from './notification.ts'
import { isSilenced, type Silence } from './silence.ts'

/** How often a trouble that goes on is told again. Information is told once. */
const repeatMs: Record<Severity, number> = { critical: 3_600_000, warning: 14_400_000, info: Number.POSITIVE_INFINITY }
/** Receivers that keep state drop what they do not hear of: Alertmanager after five minutes. */
const machineRepeatMs = 60_000

export interface Receiver {
  readonly name: string
  readonly isForMachines: boolean
}

/** What an evaluator may tell of; see leadership.ts. */
export interface NotifyPermission {
  mayBegin(episode: Episode): boolean
  mayEnd(episode: Episode, receiver: string): boolean
}

export interface Telling {
  readonly reason: NotificationReason
  readonly stage: Stage
  /** Worst first. */
  readonly episodes: readonly Episode[]
}

/** Ends come first, so that a trouble that came back is not taken for the one before. */
const reasons = ['resolved', 'firing', 'repeat', 'watchdog'] as const

/** @returns Undefined when the receiver knows all that it should. */
export function whatToTell(
  episodes: readonly Episode[],
  receiver: Receiver,
  scene: { readonly nowMs: number; readonly silences: readonly Silence[]; readonly mandate: NotifyPermission },
): Telling | undefined {
  const due = episodes.flatMap((episode) => {
    const reason = reasonToTell(episode, receiver, scene)
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

function reasonToTell(
  episode: Episode,
  receiver: Receiver,
  { nowMs, silences, mandate }: Parameters<typeof whatToTell>[2],
): (typeof reasons)[number] | undefined {
  const told = episode.told[receiver.name]
  if (episode.state === 'resolved') {
    return told?.status === 'firing' && mandate.mayEnd(episode, receiver.name) ? 'resolved' : undefined
  }
  if (episode.state !== 'firing' || !mandate.mayBegin(episode) || isNobodysBusiness(episode, receiver)) return undefined
  if (episode.inhibitedBy !== null || isSilenced(episode, silences, nowMs)) return undefined
  const isWatchdog = episode.rule === 'Watchdog'
  const afresh = isWatchdog ? 'watchdog' : 'firing'
  if (!told) return afresh
  const isWorse = told.severity !== episode.severity && isAtLeast(episode.severity, told.severity)
  if (told.status === 'firing' && isWorse) return 'firing'
  const everyMs = receiver.isForMachines ? machineRepeatMs : repeatMs[episode.severity]
  if (nowMs - told.atMs < everyMs) return undefined
  if (isWatchdog) return 'watchdog'
  return told.status === 'firing' ? 'repeat' : 'firing'
}

/** People need no sign of life, and a receiver that fails cannot be told of it. */
function isNobodysBusiness({ rule, labels }: Episode, { name, isForMachines }: Receiver): boolean {
  return (rule === 'Watchdog' && !isForMachines) || (rule === 'NotifierFailing' && labels.notifier === name)
}
