import type { Observation } from '../observe/observer.ts'

/** The values that one observation adds to the curves; null if unknown. */
export interface Sample {
  /** Messages per second, merged and rejected, since the previous observation. */
  readonly ratePerSecond: number | null
  readonly rejectedPerSecond: number | null
  readonly lagMessages: number | null
  readonly waitPercent: number | null
}

/** Twenty minutes at one sample every five seconds (20 × 60 / 5), which is more than a terminal has columns. */
const maxSamples = 240

/** Appends the sample of one more observation, and drops the oldest if there are too many. */
export function withSample(
  samples: readonly Sample[],
  observation: Observation,
  before: Observation | undefined,
): readonly Sample[] {
  return [...samples.slice(1 - maxSamples), sampleOf(observation, before)]
}

function sampleOf(observation: Observation, before: Observation | undefined): Sample {
  const { measures } = observation.assessment
  return {
    ...ratesOf(observation, before),
    lagMessages: measures.lagMessages.state === 'ok' ? measures.lagMessages.value : null,
    waitPercent: measures.poolWaitPercent.state === 'ok' ? measures.poolWaitPercent.value : null,
  }
}

function ratesOf(
  observation: Observation,
  before: Observation | undefined,
): Pick<Sample, 'ratePerSecond' | 'rejectedPerSecond'> {
  const now = observation.snapshot.postgres.positions
  const then = before?.snapshot.postgres.positions
  const seconds = (observation.snapshot.takenAtMs - (before?.snapshot.takenAtMs ?? 0)) / 1000
  if (now.state === 'unknown' || then?.state !== 'ok' || seconds <= 0) {
    return { ratePerSecond: null, rejectedPerSecond: null }
  }
  const rejected = now.rejected - then.rejected
  const processed = now.merged + now.rejected - then.merged - then.rejected
  // A rebuild resets the counters, so a negative rate is unknown.
  return {
    ratePerSecond: processed < 0 ? null : processed / seconds,
    rejectedPerSecond: rejected < 0 ? null : rejected / seconds,
  }
}
