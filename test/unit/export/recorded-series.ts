import { timingsAt } from '../../../src/alerts/alert-rules.ts'
import type { Episode } from '../../../src/alerts/episode.ts'
import { signalsOf } from '../../../src/alerts/signal.ts'
import { advance } from '../../../src/alerts/state-machine.ts'
import type { Thresholds } from '../../../src/config/thresholds.ts'
import { samplesOf } from '../../../src/export/metrics/pipeline-samples.ts'
import type { Sample } from '../../../src/metrics/pipeline-metrics.ts'
import { assess } from '../../../src/observe/assess.ts'
import { SnapshotHistory } from '../../../src/observe/history.ts'
import type { Observation } from '../../../src/observe/observer.ts'
import type { PipelineSnapshot } from '../../../src/observe/snapshot.ts'

export const intervalMs = 15_000

/** The looks of a recorded series, each judged with those before it. */
export function observationsOf(snapshots: readonly PipelineSnapshot[], limits: Thresholds): Observation[] {
  const history = new SnapshotHistory()
  return snapshots.map((snapshot) => {
    history.add(snapshot)
    return { snapshot, assessment: assess(snapshot, history, limits, snapshot.takenAtMs) }
  })
}

/** What our own evaluator has firing after each look, the symptoms among it marked. */
export function firingOf(observations: readonly Observation[]): Episode[][] {
  const timingOf = timingsAt(intervalMs, new Map())
  let episodes: Episode[] = []
  let lastAtMs: number | null = null
  let made = 0
  return observations.map(({ snapshot: { takenAtMs: atMs }, assessment }) => {
    const look = { atMs, lastAtMs, intervalMs, signals: signalsOf(assessment.findings) }
    episodes = advance(episodes, look, { timingOf, newId: () => String(made++) })
    lastAtMs = atMs
    return episodes.filter(({ state }) => state === 'firing')
  })
}

/** The same looks as a scrape of each evaluator would have recorded them, in promtool's notation. */
export function inputSeries(observations: readonly Observation[], limits: Thresholds, evaluators = ['a']) {
  const looks = observations.map((observation) => {
    const samples = samplesOf(observation, limits)
    return new Map(samples.map((sample) => [seriesName(sample), sample.value]))
  })
  const names = new Set(looks.flatMap((look) => [...look.keys()]))
  return [...names].flatMap((name) => {
    const values = notation(looks.map((look) => look.get(name)))
    return evaluators.map((instance) => ({ series: name.replace('{', `{instance="${instance}",`), values }))
  })
}

function seriesName({ metric, labels }: Sample): string {
  const all = Object.entries({ job: 'market-kpi', ...labels }).map(
    ([name, value]) => `${name}=${JSON.stringify(value)}`,
  )
  return `${metric}{${all.join(',')}}`
}

/** A series that a scrape does not have any more is stale at once. */
function notation(values: readonly (number | undefined)[]): string {
  const marks = values.map((value, index) =>
    value !== undefined ? String(value) : values[index - 1] === undefined ? '_' : 'stale',
  )
  return marks.join(' ')
}
