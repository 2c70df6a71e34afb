import type { Sample } from '../../metrics/pipeline-metrics.ts'
import type { PartitionLag, PartitionStatus } from '../../observe/lag.ts'
import type { DiskState, PipelineSnapshot } from '../../observe/snapshot.ts'
import { instant, sample } from './sample.ts'

/** Samples of the brokers, their disks and the topic. */
export function kafkaSamples({ kafka: { cluster, topic, log, disk } }: PipelineSnapshot): Sample[] {
  const partitions = topic.state === 'ok' && topic.isThere ? topic.partitions : null
  const without = partitions?.filter(({ leaderId }) => leaderId === null)
  const behind = partitions?.filter((p) => p.leaderId !== null && p.inSyncReplicas < p.replicas)
  return [
    ...(cluster.state === 'ok'
      ? [
          ...sample('market_kpi_kafka_brokers', cluster.brokers.length),
          ...sample('market_kpi_kafka_latency_seconds', cluster.latencyMs / 1000),
        ]
      : []),
    ...(disk.state === 'ok' ? disk.volumes.flatMap(volumeSamples) : []),
    ...sample('market_kpi_topic_partitions', partitions?.length),
    ...sample('market_kpi_partitions_without_leader', without?.length),
    ...sample('market_kpi_partitions_under_replicated', behind?.length),
    ...sample(
      'market_kpi_log_append_time',
      log.state === 'ok' && log.isAppendTime !== null ? Number(log.isAppendTime) : null,
    ),
  ]
}

function volumeSamples(volume: DiskState['volumes'][number]): Sample[] {
  const labels = { broker: String(volume.nodeId), directory: volume.directory }
  return [
    ...sample('market_kpi_kafka_volume_size_bytes', volume.totalBytes, labels),
    ...sample('market_kpi_kafka_volume_usable_bytes', volume.usableBytes, labels),
    ...sample('market_kpi_topic_bytes', volume.topicBytes, labels),
  ]
}

const statuses: readonly PartitionStatus[] = ['OK', 'WARN', 'STALL', 'STOP', 'REWIND', 'BLOCKED', 'UNKNOWN']

/** Samples of each partition: the offsets of its log, the position and the lag. */
export function partitionSamples(snapshot: PipelineSnapshot, lags: readonly PartitionLag[]): Sample[] {
  const { log, topic } = snapshot.kafka
  const { positions } = snapshot.postgres
  const counted = topic.state === 'ok' ? statuses : []
  return [
    ...counted.flatMap((status) => {
      const count = lags.filter((lag) => lag.status === status).length
      return sample('market_kpi_partitions', count, { status: status.toLowerCase() })
    }),
    ...lags.flatMap((lag) => lagSamples(lag, snapshot.takenAtMs)),
    ...(log.state === 'ok' ? log.partitions : []).flatMap((at) => {
      const labels = { partition: String(at.partition) }
      return [
        ...sample('market_kpi_partition_log_start_offset', at.startOffset, labels),
        ...sample('market_kpi_partition_log_end_offset', at.endOffset, labels),
        ...instant('market_kpi_partition_oldest_unread_timestamp_seconds', at.nextRecordAtMs, labels),
      ]
    }),
    ...(positions.state === 'ok' ? positions.partitions : []).flatMap((at) => {
      const labels = { partition: String(at.partition) }
      return [
        ...sample('market_kpi_partition_next_offset', at.nextOffset, labels),
        ...instant('market_kpi_partition_moved_timestamp_seconds', at.movedAtMs, labels),
      ]
    }),
    ...sample('market_kpi_partitions_stranded', strandedCount(snapshot, lags)),
  ]
}

function lagSamples(
  { partition, lagMessages, blockedMessages, blockedSeconds }: PartitionLag,
  nowMs: number,
): Sample[] {
  const labels = { partition: String(partition) }
  const readable = lagMessages === null ? null : lagMessages - (blockedMessages ?? 0)
  const sinceMs = blockedSeconds === null ? null : nowMs - blockedSeconds * 1000
  return [
    ...sample('market_kpi_partition_lag_messages', lagMessages, labels),
    ...sample('market_kpi_partition_readable_lag_messages', readable, labels),
    ...instant('market_kpi_partition_transaction_open_since_timestamp_seconds', sinceMs, labels),
  ]
}

function strandedCount({ postgres: { workers } }: PipelineSnapshot, lags: readonly PartitionLag[]): number | null {
  if (workers.state === 'unknown') return null
  const running = workers.workers.filter(({ stoppedAtMs }) => stoppedAtMs === null)
  const stranded = new Set(running.flatMap(({ strandedPartitions }) => strandedPartitions))
  const diverged = new Set(running.flatMap((w) => w.divergedPartitions.map(({ partition }) => partition)))
  // An out-of-range partition without lag is counted only if its log was cut: merged messages are no longer in it.
  return lags.filter(({ status, partition, lagMessages }) => {
    return status === 'STOP' && stranded.has(partition) && (lagMessages !== 0 || diverged.has(partition))
  }).length
}
