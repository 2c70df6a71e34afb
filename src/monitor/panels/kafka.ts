import type { Observation } from '../../observe/observer.ts'
import type { PipelineSnapshot } from '../../observe/snapshot.ts'
import { bytesText, counted, grouped } from '../../runtime/number-text.ts'
import { wrapTo } from '../cell-text.ts'
import { cells, type Line, signed, span } from '../line.ts'
import { percentText, shortNumber } from '../number-text.ts'
import { fact, factOf, findingLines, type PanelText, stageLevel, unknownFact, worst } from './panel.ts'

export function kafkaPanel(observation: Observation, width: number): PanelText {
  const { kafka } = observation.snapshot
  const isUnknown = kafka.cluster.state === 'unknown' || kafka.topic.state === 'unknown'
  const level = worst([stageLevel(observation, 'kafka'), isUnknown ? 'unknown' : 'good'])
  return { title: 'Kafka', level, summary: summary(observation, width), detail: detail(observation) }
}

function summary({ snapshot, assessment }: Observation, width: number): Line[] {
  const { cluster, topic, log, disk } = snapshot.kafka
  if (cluster.state === 'unknown') return wrapTo(cluster.reason, width - 4, 3).map(problemLine)
  const brokers = `${counted(cluster.brokers.length, 'broker')}, controller ${cluster.controllerId}`
  const used = assessment.measures.diskPercent
  const sizes = [
    used.state === 'ok' ? `disk ${percentText(used.value)}` : 'disk unknown',
    ...(log.state === 'ok' ? [`${shortNumber(messagesOf(log.partitions))} messages`] : []),
    ...(disk.state === 'ok' ? [bytesText(disk.topicBytes)] : []),
  ]
  return [
    [span(` ${brokers}, ${cluster.latencyMs.toFixed(1)} ms`)],
    topic.state === 'unknown' ? problemLine(topic.reason, 0) : [span(` ${topicText(snapshot)}`)],
    [span(` ${sizes.join(', ')}`)],
  ]
}

function problemLine(text: string, index: number): Line {
  return [index === 0 ? signed('critical', text) : span(`  ${text}`, 'critical')]
}

function messagesOf(partitions: readonly { readonly startOffset: number; readonly endOffset: number }[]): number {
  return partitions.reduce((sum, { startOffset, endOffset }) => sum + endOffset - startOffset, 0)
}

function topicText({ asked, kafka: { topic } }: PipelineSnapshot): string {
  if (topic.state === 'unknown') return topic.reason
  if (!topic.isThere) return `the topic '${asked.topic}' does not exist`
  return `${counted(topic.partitions.length, 'partition')} of ${asked.topic}${replicasText(topic.partitions)}`
}

type Partitions = Extract<PipelineSnapshot['kafka']['topic'], { state: 'ok' }>['partitions']

function replicasText(partitions: Partitions): string {
  const leaderless = partitions.filter(({ leaderId }) => leaderId === null).length
  const under = partitions.filter(({ replicas, inSyncReplicas }) => inSyncReplicas < replicas).length
  return `${leaderless > 0 ? `, ${leaderless} without a leader` : ''}${under > 0 ? `, ${under} under-replicated` : ''}`
}

function detail({ snapshot, assessment }: Observation): Line[] {
  const { cluster, topic, group, disk } = snapshot.kafka
  return [
    ...findingLines(assessment.findings, 'kafka', 'feed'),
    factOf('Cluster', cluster, ({ clusterId }) => clusterId),
    factOf('Brokers', cluster, ({ brokers }) =>
      brokers.map(({ nodeId, host, port }) => `${nodeId} at ${host}:${port}`).join(', '),
    ),
    factOf('Controller', cluster, ({ controllerId }) => String(controllerId)),
    factOf('Latency', cluster, ({ latencyMs }) => `${latencyMs.toFixed(1)} ms`),
    topic.state === 'unknown' ? unknownFact('Topic', topic.reason) : fact('Topic', topicText(snapshot)),
    factOf('Group', group, ({ groupState, members }) => `${groupState}, ${counted(members.length, 'member')}`),
    factOf('Topic size', disk, ({ topicBytes }) => bytesText(topicBytes)),
    ...(disk.state === 'ok' ? disk.volumes.map(volumeLine) : []),
    [],
    ...partitionLines({ snapshot, assessment }),
  ]
}

type Volume = Extract<PipelineSnapshot['kafka']['disk'], { state: 'ok' }>['volumes'][number]

function volumeLine({ nodeId, directory, totalBytes, usableBytes }: Volume): Line {
  const known = totalBytes !== null && usableBytes !== null
  const used = known ? `${bytesText(totalBytes - usableBytes)} of ${bytesText(totalBytes)} used` : 'size unknown'
  return fact(`Volume of broker ${nodeId}`, `${used}, ${directory}`)
}

const columns = [
  { title: 'Partition', width: 9, align: 'right' },
  { title: 'Leader', width: 7, align: 'right' },
  { title: 'In sync', width: 7, align: 'right' },
  { title: 'Start', width: 12, align: 'right' },
  { title: 'End', width: 12, align: 'right' },
  { title: 'Lag', width: 10, align: 'right' },
  { title: 'Status', width: 8 },
] as const

function partitionLines({ snapshot, assessment }: Observation): Line[] {
  const { topic, log } = snapshot.kafka
  if (topic.state === 'unknown') return []
  const logs = new Map(log.state === 'ok' ? log.partitions.map((held) => [held.partition, held]) : [])
  const lags = new Map(assessment.partitions.map((lag) => [lag.partition, lag]))
  const rows = topic.partitions.map(({ partition, leaderId, replicas, inSyncReplicas }): Line => {
    const held = logs.get(partition)
    const lag = lags.get(partition)
    const texts = [
      String(partition),
      leaderId === null ? 'none' : String(leaderId),
      `${inSyncReplicas}/${replicas}`,
      held ? grouped(held.startOffset) : '?',
      held ? grouped(held.endOffset) : '?',
      lag?.lagMessages === null || lag === undefined ? '?' : grouped(lag.lagMessages),
      lag?.status ?? 'UNKNOWN',
    ]
    return [span(cells(columns, texts)), span(lag?.why ? ` ${lag.why}` : '', 'faint')]
  })
  const titles = columns.map(({ title }) => title)
  return [[span(cells(columns, titles), 'heading')], ...rows]
}
