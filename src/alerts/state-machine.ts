// Episodes over time, after Prometheus: pending for a while, firing, kept firing for a while, resolved. Pure.
//
// - A known signal without a cause begins an episode; its `for` counts from then. A symptom begins none, and one that is
//   still pending ends when a cause is found: it is judged anew once the cause is gone, since every repair leaves a few
//   bad looks behind. An episode that fires goes on, and who tells people passes over it while it is a symptom.
// - A look that cannot tell stops the clocks of the episode, `for` and `keepFiringFor` alike: it fires nothing and ends
//   nothing. After an hour of that nobody knows whether there is still trouble, and the episode ends, saying so.
// - Of a clock that jumps, or an evaluator that stood still, only one interval counts.

import type { Timing } from './alert-rules.ts'
import type { Episode } from './episode.ts'
import { knownByFingerprint, type Signal } from './signal.ts'

export interface AlertObservation {
  readonly atMs: number
  /** Of the look before; null for the first. */
  readonly lastAtMs: number | null
  readonly intervalMs: number
  readonly signals: readonly Signal[]
}

export interface MachineRules {
  readonly timingOf: (rule: string) => Timing
  readonly newId: () => string
}

/** How long an episode may go on that nobody can judge. */
export const maxUnknownMs = 3_600_000

/** Looks come a little early and a little late; "for one interval" is the next one all the same. */
const toleranceOfInterval = 0.2
/** A longer pause between two looks is none in which anything was seen. */
const maxIntervalsBetween = 4
/** Beyond so many at once there is trouble of another kind, and everything has an end. */
const maxEpisodes = 2000

/** The episodes after one more look. Resolved ones come out as they went in. */
export function advance(episodes: readonly Episode[], look: AlertObservation, rules: MachineRules): Episode[] {
  const known = knownByFingerprint(look.signals)
  const steady = episodes.map((episode) => withSteadyMarks(episode, look))
  const open = new Map(steady.filter(({ state }) => state !== 'resolved').map((e) => [e.fingerprint, e]))
  const next = steady.flatMap((episode) => {
    if (episode.state === 'resolved') return [episode]
    const signal = known.get(episode.fingerprint)
    const moved = signal ? found(episode, signal, look, rules) : notFound(episode, look, rules)
    return moved ? [moved] : []
  })
  for (const [fingerprint, signal] of known) {
    if (open.has(fingerprint) || signal.inhibitedBy !== null || next.length >= maxEpisodes) continue
    next.push(begun(fingerprint, signal, look, rules))
  }
  return next
}

function begun(fingerprint: string, signal: Signal, look: AlertObservation, rules: MachineRules): Episode {
  const { rule, severity, stage, labels, summary, value, unit } = signal
  const episode: Episode = {
    id: rules.newId(),
    fingerprint,
    ...{ rule, severity, stage, labels, summary, value, unit },
    state: 'pending',
    startedAtMs: look.atMs,
    firedAtMs: null,
    resolvedAtMs: null,
    pendingSinceMs: look.atMs,
    clearSinceMs: null,
    unknownSinceMs: null,
    inhibitedBy: null,
    told: {},
  }
  return firedWhenDue(episode, look, rules)
}

function found(episode: Episode, signal: Signal, look: AlertObservation, rules: MachineRules): Episode | undefined {
  if (episode.state === 'pending' && signal.inhibitedBy !== null) return undefined
  const { severity, stage, summary, value, unit, inhibitedBy } = signal
  const seen = { severity, stage, summary, value, unit, inhibitedBy, clearSinceMs: null, unknownSinceMs: null }
  return firedWhenDue({ ...episode, ...seen }, look, rules)
}

function firedWhenDue(episode: Episode, look: AlertObservation, { timingOf }: MachineRules): Episode {
  if (episode.state !== 'pending') return episode
  const isDue = hasPassed(look, episode.pendingSinceMs, timingOf(episode.rule).forMs)
  return isDue ? { ...episode, state: 'firing', firedAtMs: look.atMs } : episode
}

function notFound(episode: Episode, look: AlertObservation, { timingOf }: MachineRules): Episode | undefined {
  const { blindWhile, keepFiringForMs } = timingOf(episode.rule)
  const isBlind = look.signals.some((s) => !s.isUnknown && s.severity !== 'info' && blindWhile.includes(s.rule))
  if (isBlind && episode.state === 'pending') return undefined
  if (isBlind || look.signals.some((signal) => cannotJudge(signal, episode))) return held(episode, look)
  if (episode.state === 'pending') return undefined
  const clearSinceMs = episode.clearSinceMs ?? look.atMs
  const clear = { ...episode, clearSinceMs, unknownSinceMs: null, inhibitedBy: null }
  return hasPassed(look, clearSinceMs, keepFiringForMs) ? resolved(clear, look.atMs) : clear
}

/** An unknown signal has fewer labels than what it could have found. */
function cannotJudge({ isUnknown, rule, labels }: Signal, episode: Episode): boolean {
  if (!isUnknown || rule !== episode.rule) return false
  return Object.entries(labels).every(([name, value]) => episode.labels[name] === value)
}

function held(episode: Episode, look: AlertObservation): Episode | undefined {
  const unknownSinceMs = episode.unknownSinceMs ?? look.atMs
  if (look.atMs - unknownSinceMs >= maxUnknownMs) {
    if (episode.state === 'pending') return undefined
    return resolved({ ...episode, unknownSinceMs }, look.atMs)
  }
  const stoodMs = look.lastAtMs === null ? 0 : look.atMs - look.lastAtMs
  const { clearSinceMs } = episode
  return {
    ...episode,
    unknownSinceMs,
    pendingSinceMs: episode.pendingSinceMs + stoodMs,
    clearSinceMs: clearSinceMs === null ? null : clearSinceMs + stoodMs,
  }
}

function resolved(episode: Episode, atMs: number): Episode {
  return { ...episode, state: 'resolved', resolvedAtMs: atMs, inhibitedBy: null }
}

function hasPassed({ atMs, intervalMs }: AlertObservation, sinceMs: number, durationMs: number): boolean {
  return atMs - sinceMs >= durationMs - toleranceOfInterval * intervalMs
}

/** The marks of running clocks, moved along when time jumped between two looks; none of them lies ahead. */
function withSteadyMarks(episode: Episode, look: AlertObservation): Episode {
  const passedMs = look.lastAtMs === null ? look.intervalMs : look.atMs - look.lastAtMs
  const isJump = passedMs < 0 || passedMs > maxIntervalsBetween * look.intervalMs
  const byMs = isJump ? passedMs - look.intervalMs : 0
  const move = (mark: number) => Math.min(mark + byMs, look.atMs)
  const moveSome = (mark: number | null) => (mark === null ? null : move(mark))
  return {
    ...episode,
    pendingSinceMs: move(episode.pendingSinceMs),
    clearSinceMs: moveSome(episode.clearSinceMs),
    unknownSinceMs: moveSome(episode.unknownSinceMs),
    told: Object.fromEntries(
      Object.entries(episode.told).map(([name, told]) => [name, { ...told, atMs: move(told.atMs) }]),
    ),
  }
}
