import type { Thresholds } from '../../config/thresholds.ts'
import type { Sample } from '../../metrics/pipeline-metrics.ts'
import type { Assessment } from '../../observe/assess.ts'
import type { Measures } from '../../observe/measures.ts'
import { feedStateOf, feedStates } from '../../observe/rules/feed.ts'
import { recentLosses } from '../../observe/rules/precision.ts'
import type { PipelineSnapshot } from '../../observe/snapshot.ts'
import { liveWorkers, type ShownWorker, shownWorkers } from '../../observe/workers.ts'
import { instant, sample } from './sample.ts'

/** Each restart adds a series, so their number is limited. */
const maxWorkerSeries = 100

/** Samples of workers and feeds: which are running, which are missing, and their state. */
export function workerSamples(
  snapshot: PipelineSnapshot,
  { findings, measures }: Pick<Assessment, 'findings' | 'measures'>,
  thresholds: Thresholds,
): Sample[] {
  const { workers: source } = snapshot.postgres
  if (source.state === 'unknown') return []
  const { workers } = source
  const kinds = ['consumer', 'feed'] as const
  const down = findings.filter(({ rule, isUnknown }) => rule === 'WorkerDown' && !isUnknown)
  return [
    ...kinds.flatMap((kind) => [
      ...sample('market_kpi_workers', liveWorkers(workers, kind, thresholds).length, { kind }),
      ...sample('market_kpi_workers_missing', down.filter(({ labels }) => labels.kind === kind).length, { kind }),
    ]),
    ...seenSamples(snapshot.takenAtMs, shownWorkers(workers, thresholds)),
    ...replaySamples(measures),
    ...feedStates.flatMap((state) =>
      sample('market_kpi_feed_state', Number(feedStateOf(workers, thresholds) === state), { state }),
    ),
    ...recentLosses(workers, thresholds).flatMap(({ symbol, messages }) =>
      sample('market_kpi_precision_lost_messages', messages, { symbol }),
    ),
  ]
}

function replaySamples({ replay, freshnessSeconds: behind }: Measures): Sample[] {
  return [
    ...sample('market_kpi_feed_replays_recorded_times', Number(replay !== null)),
    ...sample('market_kpi_feed_replays_at_full_speed', Number(replay?.isPaced === false)),
    ...sample('market_kpi_replay_behind_seconds', replay && behind.state === 'ok' ? behind.value : null),
    ...instant('market_kpi_replay_timestamp_seconds', replay?.eventAtMs ?? null),
  ]
}

function seenSamples(takenAtMs: number, shown: readonly ShownWorker[]): Sample[] {
  return shown
    .map(({ worker }) => worker)
    .filter(({ stoppedAtMs }) => stoppedAtMs === null)
    .toSorted((a, b) => a.seenAgoSeconds - b.seenAgoSeconds)
    .slice(0, maxWorkerSeries)
    .flatMap(({ workerId: worker, kind, seenAgoSeconds }) =>
      instant('market_kpi_worker_seen_timestamp_seconds', takenAtMs - seenAgoSeconds * 1000, { worker, kind }),
    )
}
