import type { Probe } from '../../store/client/probe.ts'
import type { WorkerState, WorkersState } from '../snapshot.ts'

/**
 * Only the rows that were updated last are read: a machine that restarts its workers again and again leaves many rows.
 */
const maxWorkers = 500

interface Row extends Omit<WorkerState, 'pool' | keyof Detail> {
  readonly poolSize: number | null
  readonly poolInUse: number | null
  readonly poolWaiting: number | null
  readonly poolAcquireMs: number | null
  readonly detail: Partial<Detail> & { readonly poolWaitedPercent?: number }
}

/** Fields that only some workers report. */
type Detail = Pick<
  WorkerState,
  | 'strandedPartitions'
  | 'divergedPartitions'
  | 'recent'
  | 'place'
  | 'source'
  | 'failure'
  | 'endedAtMs'
  | 'replay'
  | 'precisionLost'
>

/** Reads the status that workers and feeds report. */
export async function lookAtWorkers(probe: Probe): Promise<WorkersState> {
  const rows = await probe.query<Row>(question, [maxWorkers])
  return { workers: rows.map(workerOf) }
}

function workerOf({ poolSize, poolInUse, poolWaiting, poolAcquireMs, detail, ...row }: Row): WorkerState {
  const pool =
    poolSize === null
      ? null
      : {
          size: poolSize,
          inUse: poolInUse ?? 0,
          waiting: poolWaiting ?? 0,
          acquireMs: poolAcquireMs ?? 0,
          waitedPercent: detail.poolWaitedPercent ?? null,
        }
  return {
    ...row,
    pool,
    strandedPartitions: detail.strandedPartitions ?? [],
    divergedPartitions: detail.divergedPartitions ?? [],
    recent: detail.recent ?? null,
    place: detail.place ?? null,
    source: detail.source ?? null,
    failure: detail.failure ?? null,
    endedAtMs: detail.endedAtMs ?? null,
    replay: detail.replay ?? null,
    precisionLost: detail.precisionLost ?? [],
  }
}

const question = `
  SELECT worker_id AS "workerId", kind, host, state AS "workerState",
    (extract(epoch FROM started_at) * 1000)::float8 AS "startedAtMs",
    extract(epoch FROM clock_timestamp() - last_seen_at)::float8 AS "seenAgoSeconds",
    (extract(epoch FROM stopped_at) * 1000)::float8 AS "stoppedAtMs",
    messages_processed AS "messagesProcessed", batches_written AS "batchesWritten", errors,
    elapsed_seconds AS "elapsedSeconds", throughput_msg_per_sec AS "throughputPerSecond",
    pool_size AS "poolSize", pool_in_use AS "poolInUse", pool_waiting AS "poolWaiting",
    pool_acquire_ms AS "poolAcquireMs", coalesce(partitions, '{}') AS partitions, detail
  FROM worker_status ORDER BY last_seen_at DESC, worker_id LIMIT $1`
