import { volumeKey } from '../history.ts'
import type { HeldState, VolumeState } from '../snapshot.ts'
import { beyond, cannotJudge, found, partitionList, percentText, type Rule, type RuleScene, span } from './rule.ts'

/** R1: the brokers do not answer, or refuse the connection. */
export const kafkaUnreachable: Rule = ({ snapshot }) => {
  const { cluster } = snapshot.kafka
  return cluster.state === 'unknown' ? [found('KafkaUnreachable', 'critical', cluster.reason)] : []
}

/** R2: the topic does not exist, or is not the one that the KPI rows were calculated from. */
export const topicMissing: Rule = ({ snapshot }) => {
  const { topic } = snapshot.kafka
  const { schema } = snapshot.postgres
  const name = snapshot.asked.topic
  if (topic.state === 'unknown') return [cannotJudge('TopicMissing', topic.reason, 'warning')]
  const held = schema.state === 'ok' ? schema.definition : null
  if (!topic.isThere)
    return [found('TopicMissing', 'critical', `the topic '${name}' does not exist: ${remedy(name, held)}`)]
  if (!held || held.topic !== name || held.topicId === topic.topicId) return []
  const summary = `the topic '${name}' was deleted and created again: 'market-kpi init --accept-new-topic' continues with the new one`
  return [found('TopicMissing', 'critical', summary)]
}

/**
 * The hint depends on the topic that the database was prepared for: `init` accepts no other topic, and one that was
 * created again only with `--accept-new-topic`.
 */
function remedy(name: string, held: HeldState | null): string {
  if (!held) return "check KAFKA_TOPIC, or create it with 'market-kpi init'"
  if (held.topic !== name) return `the database has rows of '${held.topic}': correct KAFKA_TOPIC`
  return "'market-kpi init --accept-new-topic' creates it and keeps the old rows separate"
}

/** R3: partitions have no leader, so they cannot be written or read, or have too few replicas in sync. */
export const partitionsOffline: Rule = ({ snapshot }) => {
  const { topic } = snapshot.kafka
  // R2 reports the reason.
  if (topic.state === 'unknown') return []
  const offline = topic.partitions.filter(({ leaderId }) => leaderId === null)
  const behind = topic.partitions.filter((p) => p.leaderId !== null && p.inSyncReplicas < p.replicas)
  const numbers = (partitions: typeof offline) => partitionList(partitions.map(({ partition }) => partition))
  const unit = 'partitions'
  return [
    ...(offline.length > 0
      ? [
          found('PartitionsOffline', 'critical', `without a leader: ${numbers(offline)}`, {
            value: offline.length,
            unit,
          }),
        ]
      : []),
    ...(behind.length > 0
      ? [
          found('PartitionsOffline', 'warning', `with fewer replicas in sync than configured: ${numbers(behind)}`, {
            labels: { kind: 'under-replicated' },
            value: behind.length,
            unit,
          }),
        ]
      : []),
  ]
}

/** Growth over a shorter time is no basis for a forecast: it may be a single large copy. */
export const minGrowthHours = 6

/** R4: a volume with Kafka logs is nearly full, or will be full soon. */
export const kafkaDiskHigh: Rule = (scene) => {
  const { disk } = scene.snapshot.kafka
  const { measures } = scene
  if (disk.state === 'unknown' || measures.diskPercent.state === 'unknown') {
    const { diskPercent } = measures
    return [cannotJudge('KafkaDiskHigh', diskPercent.state === 'unknown' ? diskPercent.reason : 'no volume is known')]
  }
  return disk.volumes.flatMap((volume) => volumeFindings(scene, volume))
}

function volumeFindings(scene: RuleScene, volume: VolumeState) {
  const { nodeId, directory, totalBytes, usableBytes } = volume
  if (!totalBytes || usableBytes === null) return []
  const { warningPercent: warning, criticalPercent: critical, fullSeconds } = scene.thresholds.disk
  const usedPercent = (1 - usableBytes / totalBytes) * 100
  const labels = { broker: String(nodeId), directory }
  const place = `the volume of ${directory} on broker ${nodeId}`
  const severity = beyond(usedPercent, { warning, critical })
  if (severity) {
    const summary = `${place} is ${percentText(usedPercent)} full`
    return [found('KafkaDiskHigh', severity, summary, { labels, value: usedPercent, unit: 'percent' })]
  }
  const seconds = secondsUntilFull(scene, volume, usableBytes)
  if (seconds === undefined || seconds >= fullSeconds) return []
  const summary = `${place} will be full in ${span(seconds)} if it keeps growing like this`
  return [found('KafkaDiskHigh', 'warning', summary, { labels, value: usedPercent, unit: 'percent' })]
}

/**
 * Extrapolates the growth since the oldest observation within a day. Undefined if the volume does not grow, or if that
 * observation is less than `minGrowthHours` old.
 */
function secondsUntilFull(scene: RuleScene, volume: VolumeState, usableBytes: number): number | undefined {
  const { diskObservations, nowMs } = scene
  const key = volumeKey(volume.nodeId, volume.directory)
  const first = diskObservations.find(({ atMs, usedBytes }) => nowMs - atMs <= 86_400_000 && usedBytes.has(key))
  const spanMs = first ? nowMs - first.atMs : 0
  if (!first || spanMs < minGrowthHours * 3_600_000) return undefined
  const used = (volume.totalBytes ?? 0) - usableBytes
  const grown = used - (first.usedBytes.get(key) ?? used)
  return grown > 0 ? usableBytes / (grown / (spanMs / 1000)) : undefined
}
