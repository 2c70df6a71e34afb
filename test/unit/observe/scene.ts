import { loadConfig } from '../../../src/config/load.ts'
import type { SettingName } from '../../../src/config/settings.ts'
import { type Thresholds, thresholdsOf } from '../../../src/config/thresholds.ts'
import { type Assessment, assess } from '../../../src/observe/assess.ts'
import type { Finding, RuleName } from '../../../src/observe/finding.ts'
import { SnapshotHistory } from '../../../src/observe/history.ts'
import type { PipelineSnapshot, WorkerState } from '../../../src/observe/snapshot.ts'

/** 2026-02-14T14:30:00Z, a Saturday. */
export const nowMs = 1_771_079_400_000

export const topicId = '11111111-2222-3333-4444-555555555555'

/** A pipeline that works: three partitions, one worker, one feed, all read. */
export function healthy(atMs = nowMs): PipelineSnapshot {
  const partitions = [0, 1, 2]
  return {
    version: 2,
    takenAtMs: atMs,
    tookMs: 50,
    asked: {
      topic: 'market-prices',
      group: 'processor',
      windowSeconds: 300,
      maxFutureSeconds: 300,
      decimals: 8,
      recentSeconds: 300,
    },
    kafka: {
      cluster: {
        state: 'ok',
        clusterId: 'cluster',
        brokers: [{ nodeId: 1, host: 'broker', port: 9092 }],
        controllerId: 1,
        latencyMs: 1,
      },
      topic: {
        state: 'ok',
        isThere: true,
        topicId,
        partitions: partitions.map((partition) => ({
          partition,
          leaderId: 1,
          leaderEpoch: 0,
          replicas: 1,
          inSyncReplicas: 1,
        })),
      },
      log: {
        state: 'ok',
        isAppendTime: true,
        partitions: partitions.map((partition) => ({
          partition,
          startOffset: 0,
          endOffset: 1000,
          openTransaction: null,
          newestRecordAtMs: atMs - 1000,
          nextRecordAtMs: null,
        })),
      },
      group: {
        state: 'ok',
        groupState: 'Stable',
        isRebalancing: false,
        members: [{ clientId: 'worker', host: '/127.0.0.1', partitions }],
      },
      disk: {
        state: 'ok',
        topicBytes: 1e6,
        volumes: [{ nodeId: 1, directory: '/data', topicBytes: 1e6, totalBytes: 1e12, usableBytes: 0.9e12 }],
      },
    },
    postgres: {
      server: {
        state: 'ok',
        serverVersion: '18.0',
        latencyMs: 1,
        clockAheadMs: 0,
        isStandby: false,
        connectionsUsed: 5,
        connectionsMax: 100,
      },
      schema: {
        state: 'ok',
        missingMigrations: [],
        newerMigrations: [],
        missingParts: [],
        definition: { topic: 'market-prices', topicId, group: 'processor', windowSeconds: 300, decimals: 8 },
      },
      positions: {
        state: 'ok',
        partitions: partitions.map((partition) => ({
          partition,
          nextOffset: 1000,
          movedAtMs: atMs - 900,
          idleSinceMs: null,
        })),
        merged: 3000,
        rejected: 0,
      },
      workers: {
        state: 'ok',
        workers: [worker('consumer-1', { kind: 'consumer' }), worker('feed-1', { kind: 'feed' })],
      },
      deadLetters: { state: 'ok', recentByReason: {}, isCapped: false },
      kpi: {
        state: 'ok',
        rows: 150,
        isEstimate: false,
        tableBytes: 1e5,
        indexBytes: 1e4,
        hotUpdateRatio: 0.99,
        newestEventAtMs: atMs - 1000,
      },
      symbols: {
        state: 'ok',
        symbols: ['AAPL', 'MSFT'].map((symbol) => ({
          symbol,
          newestEventAtMs: atMs - 1000,
          windowStartMs: atMs - 60_000,
          close: '187.18',
        })),
        isCapped: false,
      },
    },
  }
}

export function worker(workerId: string, more: Partial<WorkerState> = {}): WorkerState {
  const isFeed = more.kind === 'feed'
  return {
    workerId,
    failure: null,
    kind: 'consumer',
    host: 'here',
    startedAtMs: nowMs - 3_600_000,
    seenAgoSeconds: 2,
    stoppedAtMs: null,
    workerState: isFeed ? 'sending' : 'reading',
    messagesProcessed: 3000,
    batchesWritten: 30,
    errors: 0,
    elapsedSeconds: 3600,
    throughputPerSecond: 10,
    pool: isFeed ? null : { size: 2, inUse: 1, waiting: 0, acquireMs: 1, waitedPercent: 0 },
    partitions: isFeed ? [] : [0, 1, 2],
    strandedPartitions: [],
    divergedPartitions: [],
    recent: isFeed ? null : { seconds: 300, processed: 3000, rejected: 0 },
    place: null,
    source: isFeed ? 'simulated prices' : null,
    endedAtMs: null,
    replay: null,
    precisionLost: [],
    ...more,
  }
}

type Part = 'kafka' | 'postgres'

/** The snapshot with other values in one source; `state` stays `ok`. */
export function withSource<P extends Part, S extends keyof PipelineSnapshot[P]>(
  snapshot: PipelineSnapshot,
  part: P,
  source: S,
  values: Partial<Extract<PipelineSnapshot[P][S], { state: 'ok' }>>,
): PipelineSnapshot {
  return { ...snapshot, [part]: { ...snapshot[part], [source]: { ...snapshot[part][source], ...values } } }
}

/** The snapshot in which nothing is known of one source. */
export function without<P extends Part>(
  snapshot: PipelineSnapshot,
  part: P,
  ...sources: (keyof PipelineSnapshot[P])[]
): PipelineSnapshot {
  const unknown = Object.fromEntries(sources.map((source) => [source, { state: 'unknown', reason: 'not seen' }]))
  return { ...snapshot, [part]: { ...snapshot[part], ...unknown } }
}

/** Everything of one side unknown, as when it is dead. */
export function dead(snapshot: PipelineSnapshot, part: Part): PipelineSnapshot {
  return without(snapshot, part, ...(Object.keys(snapshot[part]) as never[]))
}

/** Lag, the same in each partition, as a consumer has that is working. */
export function lagging(snapshot: PipelineSnapshot, each: number, waitingSeconds: number | null = 1): PipelineSnapshot {
  const { log } = snapshot.kafka
  if (log.state === 'unknown') return snapshot
  const partitions = log.partitions.map((partition) => ({
    ...partition,
    endOffset: Math.max(partition.endOffset, each),
    nextRecordAtMs: waitingSeconds === null ? null : snapshot.takenAtMs - waitingSeconds * 1000,
  }))
  const positions = partitions.map(({ partition, endOffset }) => ({
    partition,
    nextOffset: endOffset - each,
    movedAtMs: snapshot.takenAtMs - 100,
    idleSinceMs: null,
  }))
  const longer = withSource(snapshot, 'kafka', 'log', { partitions })
  return withSource(longer, 'postgres', 'positions', { partitions: positions })
}

export function thresholds(settings: Partial<Record<SettingName, string>> = {}): Thresholds {
  return thresholdsOf(loadConfig({ flags: settings, env: {}, directory: '/nowhere' }))
}

/** Judges the last of some looks, with the others before it. */
export function judge(observations: readonly PipelineSnapshot[] | PipelineSnapshot, limits = thresholds()): Assessment {
  const snapshots = Array.isArray(observations) ? observations : [observations]
  const history = new SnapshotHistory()
  for (const snapshot of snapshots) history.add(snapshot)
  const last = snapshots.at(-1) as PipelineSnapshot
  return assess(last, history, limits, last.takenAtMs)
}

/** The severities that a rule found, `unknown` for what it cannot tell. */
export function severitiesOf({ findings }: Assessment, rule: RuleName): string[] {
  return findings.filter((finding) => finding.rule === rule).map(severityOf)
}

function severityOf({ isUnknown, severity }: Finding): string {
  return isUnknown ? 'unknown' : severity
}

/** What a person would be told: rules that found something wrong, symptoms left out. */
export function causesOf({ findings }: Assessment): string[] {
  return findings
    .filter(({ inhibitedBy, isUnknown, severity }) => inhibitedBy === null && !isUnknown && severity !== 'info')
    .map(({ rule, severity }) => `${severity} ${rule}`)
}

/** So many looks, some seconds apart, the last at `nowMs`. */
export function looksOver(
  seconds: number,
  everySeconds: number,
  look: (snapshot: PipelineSnapshot, secondsBefore: number) => PipelineSnapshot,
): PipelineSnapshot[] {
  const count = Math.floor(seconds / everySeconds)
  return Array.from({ length: count + 1 }, (_, index) => {
    const before = (count - index) * everySeconds
    return look(healthy(nowMs - before * 1000), before)
  })
}
