// The states of episodes, as in Prometheus: pending for some time, firing, kept firing for some time, resolved. Pure.
//
// - A finding without a cause starts an episode, and its `for` counts from then. A symptom (a finding that another one
//   explains) starts none. A pending episode that becomes a symptom is dropped. If the finding is still there once the
//   cause is gone, a new episode starts with its full `for`, since a few bad observations are normal after every repair.
//   A firing episode that becomes a symptom keeps firing, and next-notification.ts skips it meanwhile.
// - An observation that cannot evaluate the rule of an episode pauses both `for` and `keepFiringFor`: the episode
// neither
//   fires nor resolves. After an hour without an evaluation the episode is resolved, and its text says that it was not
//   checked.
// - If the clock jumps, or the evaluator was suspended, only one interval counts.

import type { Timing } from './alert-rules.ts'
import type { Episode } from './episode.ts'
import { knownByFingerprint, type Signal } from './signal.ts'

export interface AlertObservation {
  readonly atMs: number
  /** Time of the previous observation; null for the first one. */
  readonly lastAtMs: number | null
  readonly intervalMs: number
  readonly signals: readonly Signal[]
}

export interface MachineRules {
  readonly timingOf: (rule: string) => Timing
  readonly newId: () => string
}

/** How long an episode remains open while its rule cannot be evaluated. */
export const maxUnknownMs = 3_600_000

/** Observations may be a little early or late; "for one interval" still means the next observation. */
const toleranceOfInterval = 0.2
/** A longer time between two observations counts as a jump of the clock or a suspension. */
const maxIntervalsBetween = 4
/** Bounds the memory. So many alerts at the same time are not separate problems. */
const maxEpisodes = 2000

/** Returns the episodes after one more observation. Resolved ones do not change state. */
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

/** An unknown signal may have fewer labels than the episode: it applies to all episodes of the rule that match them. */
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

/** After a jump of the clock, shifts all start times so that one interval has passed. None of them is in the future. */
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
