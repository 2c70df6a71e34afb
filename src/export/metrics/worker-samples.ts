import type { Thresholds } from '../../config/thresholds.ts'
import type { Sample } from '../../metrics/pipeline-metrics.ts'
import type { Finding } from '../../observe/finding.ts'
import { waitedPoolPercent } from '../../observe/history.ts'
import { liveWorkers } from '../../observe/measures.ts'
import { feedStateOf, feedStates } from '../../observe/rules/feed.ts'
import { replaysOldPrices } from '../../observe/rules/quality.ts'
import type { PipelineSnapshot, WorkerState } from '../../observe/snapshot.ts'
import { instant, sample } from './sample.ts'

/** Each restart makes a series more: Prometheus wants a bound. */
const maxWorkerSeries = 100

/** Workers and feeds: who is there, who is missing, what they do. */
export function workerSamples(
  snapshot: PipelineSnapshot,
  findings: readonly Finding[],
  thresholds: Thresholds,
): Sample[] {
  const { workers: source } = snapshot.postgres
  if (source.state === 'unknown') return []
  const { workers } = source
  const kinds = ['consumer', 'feed'] as const
  const down = findings.filter(({ rule, isUnknown }) => rule === 'WorkerDown' && !isUnknown)
  const waited = waitedPoolPercent(liveWorkers(workers, 'consumer', thresholds))
  return [
    ...kinds.flatMap((kind) => [
      ...sample('market_kpi_workers', liveWorkers(workers, kind, thresholds).length, { kind }),
      ...sample('market_kpi_workers_missing', down.filter(({ labels }) => labels.kind === kind).length, { kind }),
    ]),
    ...seenSamples(snapshot.takenAtMs, workers),
    ...feedStates.flatMap((state) =>
      sample('market_kpi_feed_state', Number(feedStateOf(workers, thresholds) === state), { state }),
    ),
    ...sample('market_kpi_feed_replays_recorded_times', Number(replaysOldPrices({ snapshot, thresholds }))),
    ...sample('market_kpi_pool_waited_ratio', waited === null ? null : waited / 100),
  ]
}

function seenSamples(takenAtMs: number, workers: readonly WorkerState[]): Sample[] {
  return workers
    .filter(({ stoppedAtMs }) => stoppedAtMs === null)
    .toSorted((a, b) => a.seenAgoSeconds - b.seenAgoSeconds)
    .slice(0, maxWorkerSeries)
    .flatMap(({ workerId: worker, kind, seenAgoSeconds }) =>
      instant('market_kpi_worker_seen_timestamp_seconds', takenAtMs - seenAgoSeconds * 1000, { worker, kind }),
    )
}
