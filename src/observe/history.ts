import { type PipelineSnapshot, type PoolState, readableEnd } from './snapshot.ts'

/** Offsets of a partition in one observation. */
export interface PartitionObservation {
  readonly position: number
  readonly startOffset: number
  readonly endOffset: number
  /** Messages before this offset could be read: the start of the oldest open transaction, or the end of the log. */
  readonly readableEnd: number
}

/**
 * Messages that could be read and were not. Messages that wait for an open transaction are left out: no worker can read
 * them.
 */
export function readableLag({ position, startOffset, readableEnd }: PartitionObservation): number {
  return Math.max(0, readableEnd - Math.max(position, startOffset))
}

/** The parts of a snapshot that rules over time need; null where the snapshot has no value. */
export interface PastObservation {
  readonly atMs: number
  readonly partitions: ReadonlyMap<number, PartitionObservation>
  /** Messages merged and rejected in total, since the first one. */
  readonly counts: { readonly merged: number; readonly rejected: number } | null
  /** The highest `poolPressurePercent` of all workers that reported recently. */
  readonly poolPressurePercent: number | null
}

/** Bytes in use on a volume, kept for a day. */
export interface DiskObservation {
  readonly atMs: number
  readonly usedBytes: ReadonlyMap<string, number>
}

/** Ten minutes of observations at one per second; a longer time at longer intervals. */
const maxObservations = 600
const lookSpacingMs = 900
/** One day of observations at one every five minutes. */
const maxDiskObservations = 288
const diskSpacingMs = 300_000

/**
 * The observations of the last minutes, oldest first, reduced to what rules need. Its size is bounded. It is emptied
 * when the clock was set back, since later observations cannot be compared with those from the future, and when the
 * topic was deleted and created again, since its positions start again.
 */
export class SnapshotHistory {
  readonly #observations: PastObservation[] = []
  readonly #diskObservations: DiskObservation[] = []
  /** The topic that the positions in the observations belong to. */
  #topicId: string | undefined

  get observations(): readonly PastObservation[] {
    return this.#observations
  }

  get diskObservations(): readonly DiskObservation[] {
    return this.#diskObservations
  }

  add(snapshot: PipelineSnapshot): void {
    const atMs = snapshot.takenAtMs
    const last = this.#observations.at(-1)
    if (last && atMs < last.atMs) this.#forget()
    this.#followTopic(heldTopicId(snapshot))
    // The newest observation is always kept. The one before it is dropped if it came too soon after its own
    // predecessor.
    const [before, newest] = this.#observations.slice(-2)
    if (before && newest && newest.atMs - before.atMs < lookSpacingMs) this.#observations.pop()
    this.#observations.push(observationOf(snapshot))
    if (this.#observations.length > maxObservations) this.#observations.shift()
    this.#addDisk(snapshot)
  }

  #followTopic(topicId: string | undefined): void {
    if (topicId === undefined) return
    if (this.#topicId !== undefined && topicId !== this.#topicId) this.#observations.length = 0
    this.#topicId = topicId
  }

  #addDisk({ takenAtMs: atMs, kafka: { disk } }: PipelineSnapshot): void {
    const last = this.#diskObservations.at(-1)
    if (disk.state === 'unknown' || (last && atMs - last.atMs < diskSpacingMs)) return
    this.#diskObservations.push({ atMs, usedBytes: usedBytesByVolume(disk.volumes) })
    if (this.#diskObservations.length > maxDiskObservations) this.#diskObservations.shift()
  }

  #forget(): void {
    this.#observations.length = 0
    this.#diskObservations.length = 0
  }
}

function heldTopicId({ postgres: { schema } }: PipelineSnapshot): string | undefined {
  return schema.state === 'ok' ? schema.definition?.topicId : undefined
}

type Volumes = Extract<PipelineSnapshot['kafka']['disk'], { state: 'ok' }>['volumes']

function usedBytesByVolume(volumes: Volumes): Map<string, number> {
  const used = new Map<string, number>()
  for (const { nodeId, directory, totalBytes, usableBytes } of volumes) {
    if (totalBytes !== null && usableBytes !== null) used.set(volumeKey(nodeId, directory), totalBytes - usableBytes)
  }
  return used
}

export function volumeKey(nodeId: number, directory: string): string {
  return `${nodeId}:${directory}`
}

function observationOf(snapshot: PipelineSnapshot): PastObservation {
  const { positions, workers } = snapshot.postgres
  return {
    atMs: snapshot.takenAtMs,
    partitions: partitionsOf(snapshot),
    counts: positions.state === 'ok' ? { merged: positions.merged, rejected: positions.rejected } : null,
    poolPressurePercent: workers.state === 'ok' ? worstPressure(workers.workers) : null,
  }
}

/** Empty while the positions belong to an earlier topic than the log. */
function partitionsOf(snapshot: PipelineSnapshot): Map<number, PartitionObservation> {
  const { log: logs, topic } = snapshot.kafka
  const { positions } = snapshot.postgres
  const partitions = new Map<number, PartitionObservation>()
  if (logs.state === 'unknown' || positions.state === 'unknown') return partitions
  const held = heldTopicId(snapshot)
  if (held !== undefined && topic.state === 'ok' && topic.isThere && topic.topicId !== held) return partitions
  const byPartition = new Map(positions.partitions.map((p) => [p.partition, p.nextOffset]))
  for (const log of logs.partitions) {
    const position = byPartition.get(log.partition)
    const { partition, startOffset, endOffset } = log
    if (position !== undefined) {
      partitions.set(partition, { position, startOffset, endOffset, readableEnd: readableEnd(log) })
    }
  }
  return partitions
}

type Workers = Extract<PipelineSnapshot['postgres']['workers'], { state: 'ok' }>['workers']

/** Workers that have not reported for longer are left out: their values are not current. */
const recentSeconds = 60

function worstPressure(workers: Workers): number | null {
  const pools = workers.flatMap(({ pool, stoppedAtMs, seenAgoSeconds }) =>
    pool && stoppedAtMs === null && seenAgoSeconds <= recentSeconds ? [pool] : [],
  )
  return pools.length > 0 ? Math.max(...pools.map(poolPressurePercent)) : null
}

/**
 * How scarce the connections of a pool are: the share of the time in which a query waited for one. If the pool has more
 * than one connection and a query is waiting now, the share of connections in use, if that is higher. A full pool in
 * which no query waits is not a problem.
 */
export function poolPressurePercent({ size, inUse, waiting, waitedPercent }: PoolState): number {
  const used = waiting > 0 && size > 1 ? (inUse / size) * 100 : 0
  // A worker of an earlier version reports only how many queries wait.
  const waited = waitedPercent ?? (waiting > 0 && size === 1 ? 100 : 0)
  return Math.max(used, waited)
}
