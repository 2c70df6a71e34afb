import type { Observation } from '../observe/observer.ts'

/** What one look adds to the curves; null for what it could not see. */
export interface Sample {
  /** Messages merged and rejected since the look before, a second. */
  readonly ratePerSecond: number | null
  readonly rejectedPerSecond: number | null
  readonly lagMessages: number | null
  readonly waitPercent: number | null
}

/** Twenty minutes at one every five seconds, and wider than a terminal. */
const maxSamples = 240

/** The samples with those of one more look, the oldest forgotten. */
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
  // A rebuild sets counters back; a rate below nothing says nothing.
  return {
    ratePerSecond: processed < 0 ? null : processed / seconds,
    rejectedPerSecond: rejected < 0 ? null : rejected / seconds,
  }
}
