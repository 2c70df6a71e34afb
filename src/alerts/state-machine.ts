// Episodes over time, after Prometheus: pending for a while, firing, kept firing for a while, resolved. Pure.
//
// - A finding without a cause begins an episode; its `for` counts from then. A symptom (a finding that another one
//   explains) begins none. A pending episode that becomes a symptom is dropped, and begins again once the cause is gone,
//   since every repair is followed by a few bad observations. An episode that fires remains, and next-notification.ts skips it
//   while it is a symptom.
// - An observation that cannot judge an episode stops both its clocks, `for` and `keepFiringFor`: it fires nothing and
//   resolves nothing. After an hour without a judgement the episode is resolved, and its text says that it was not checked.
// - When the clock jumps, or the evaluator was suspended, only one interval counts.

import type { Timing } from './alert-rules.ts'
import type { Episode } from './episode.ts'
import { knownByFingerprint, type Signal } from './signal.ts'

export interface AlertObservation {
  readonly atMs: number
  /** Of the observation before; null for the first. */
  readonly lastAtMs: number | null
  readonly intervalMs: number
  readonly signals: readonly Signal[]
}

export interface MachineRules {
  readonly timingOf: (rule: string) => Timing
  readonly newId: () => string
}

/** How long an episode may last that no observation can judge. */
export const maxUnknownMs = 3_600_000

/** Observations come a little early or late; "for one interval" nevertheless means the next one. */
const toleranceOfInterval = 0.2
/** In a longer pause between two observations nothing was observed. */
const maxIntervalsBetween = 4
/** A bound on memory: more alerts at once than this are no longer separate problems. */
const maxEpisodes = 2000

/** The episodes after one more observation. Resolved ones are returned as they were. */
export function advance(episodes: readonly Episode[], observation: AlertObservation, rules: MachineRules): Episode[] {
  const known = knownByFingerprint(observation.signals)
  const steady = episodes.map((episode) => withSteadyMarks(episode, observation))
  const open = new Map(steady.filter(({ state }) => state !== 'resolved').map((e) => [e.fingerprint, e]))
  const next = steady.flatMap((episode) => {
    if (episode.state === 'resolved') return [episode]
    const signal = known.get(episode.fingerprint)
    const moved = signal ? whenFound(episode, signal, observation, rules) : whenNotFound(episode, observation, rules)
    return moved ? [moved] : []
  })
  for (const [fingerprint, signal] of known) {
    if (open.has(fingerprint) || signal.inhibitedBy !== null || next.length >= maxEpisodes) continue
    next.push(newEpisode(fingerprint, signal, observation, rules))
  }
  return next
}

function newEpisode(fingerprint: string, signal: Signal, observation: AlertObservation, rules: MachineRules): Episode {
  const { rule, severity, stage, labels, summary, value, unit } = signal
  const episode: Episode = {
    id: rules.newId(),
    fingerprint,
    ...{ rule, severity, stage, labels, summary, value, unit },
    state: 'pending',
    startedAtMs: observation.atMs,
    firedAtMs: null,
    resolvedAtMs: null,
    pendingSinceMs: observation.atMs,
    clearSinceMs: null,
    unknownSinceMs: null,
    inhibitedBy: null,
    deliveries: {},
  }
  return firedWhenDue(episode, observation, rules)
}

function whenFound(
  episode: Episode,
  signal: Signal,
  observation: AlertObservation,
  rules: MachineRules,
): Episode | undefined {
  if (episode.state === 'pending' && signal.inhibitedBy !== null) return undefined
  const { severity, stage, summary, value, unit, inhibitedBy } = signal
  const seen = { severity, stage, summary, value, unit, inhibitedBy, clearSinceMs: null, unknownSinceMs: null }
  return firedWhenDue({ ...episode, ...seen }, observation, rules)
}

function firedWhenDue(episode: Episode, observation: AlertObservation, { timingOf }: MachineRules): Episode {
  if (episode.state !== 'pending') return episode
  const isDue = hasPassed(observation, episode.pendingSinceMs, timingOf(episode.rule).forMs)
  return isDue ? { ...episode, state: 'firing', firedAtMs: observation.atMs } : episode
}

function whenNotFound(
  episode: Episode,
  observation: AlertObservation,
  { timingOf }: MachineRules,
): Episode | undefined {
  const { blindWhile, keepFiringForMs } = timingOf(episode.rule)
  const isBlind = observation.signals.some((s) => !s.isUnknown && s.severity !== 'info' && blindWhile.includes(s.rule))
  if (isBlind && episode.state === 'pending') return undefined
  if (isBlind || observation.signals.some((signal) => cannotJudge(signal, episode)))
    return whenUnknown(episode, observation)
  if (episode.state === 'pending') return undefined
  const clearSinceMs = episode.clearSinceMs ?? observation.atMs
  const clear = { ...episode, clearSinceMs, unknownSinceMs: null, inhibitedBy: null }
  return hasPassed(observation, clearSinceMs, keepFiringForMs) ? resolved(clear, observation.atMs) : clear
}

/** An unknown signal has only some of the labels of what it could have found. */
function cannotJudge({ isUnknown, rule, labels }: Signal, episode: Episode): boolean {
  if (!isUnknown || rule !== episode.rule) return false
  return Object.entries(labels).every(([name, value]) => episode.labels[name] === value)
}

function whenUnknown(episode: Episode, observation: AlertObservation): Episode | undefined {
  const unknownSinceMs = episode.unknownSinceMs ?? observation.atMs
  if (observation.atMs - unknownSinceMs >= maxUnknownMs) {
    if (episode.state === 'pending') return undefined
    return resolved({ ...episode, unknownSinceMs }, observation.atMs)
  }
  const pausedMs = observation.lastAtMs === null ? 0 : observation.atMs - observation.lastAtMs
  const { clearSinceMs } = episode
  return {
    ...episode,
    unknownSinceMs,
    pendingSinceMs: episode.pendingSinceMs + pausedMs,
    clearSinceMs: clearSinceMs === null ? null : clearSinceMs + pausedMs,
  }
}

function resolved(episode: Episode, atMs: number): Episode {
  return { ...episode, state: 'resolved', resolvedAtMs: atMs, inhibitedBy: null }
}

function hasPassed({ atMs, intervalMs }: AlertObservation, sinceMs: number, durationMs: number): boolean {
  return atMs - sinceMs >= durationMs - toleranceOfInterval * intervalMs
}

/** Moves the starts of running clocks by the time that jumped between two observations; none of them is in the future. */
function withSteadyMarks(episode: Episode, observation: AlertObservation): Episode {
  const { atMs, lastAtMs, intervalMs } = observation
  const passedMs = lastAtMs === null ? intervalMs : atMs - lastAtMs
  const isJump = passedMs < 0 || passedMs > maxIntervalsBetween * intervalMs
  const byMs = isJump ? passedMs - intervalMs : 0
  const move = (mark: number) => Math.min(mark + byMs, atMs)
  const moveSome = (mark: number | null) => (mark === null ? null : move(mark))
  return {
    ...episode,
    pendingSinceMs: move(episode.pendingSinceMs),
    clearSinceMs: moveSome(episode.clearSinceMs),
    unknownSinceMs: moveSome(episode.unknownSinceMs),
    deliveries: Object.fromEntries(
      Object.entries(episode.deliveries).map(([name, delivery]) => [name, { ...delivery, atMs: move(delivery.atMs) }]),
    ),
  }
}
