import type { Config } from '../config/load.ts'
import { KpiError } from '../errors.ts'
import type { Feed, FeedFigures } from '../feed/feed.ts'
import type { KafkaCluster } from '../kafka/client/cluster.ts'
import { feedMetrics } from '../metrics/feed-metrics.ts'
import type { StatusRoutes } from '../metrics/status-server.ts'
import { answerUnlessAborted, sourceOf } from '../observe/collect/answer.ts'
import { withDeadline } from '../runtime/abort.ts'
import { type OwnCheck, ownHealth, pipelineHealth } from './service-status.ts'

export interface ServedFeed {
  readonly feed: Pick<Feed, 'figures'>
  /** `simulate`, `replay`: a small set of values, without the file's name. */
  readonly sourceKind: string
  readonly cluster: KafkaCluster
  readonly config: Config
  readonly stop: AbortSignal
}

/** The HTTP endpoints of a feed. */
export function feedRoutes(served: ServedFeed): StatusRoutes {
  const { feed, sourceKind, config } = served
  const notReady = () => obstaclesOf(served)
  const health = pipelineHealth(config) ?? kafkaHealth(served)
  return {
    metrics: feedMetrics(sourceKind, () => {
      const { figures } = feed
      return {
        ...figures,
        isKafkaAway: refusalOf(figures) !== undefined,
        isAtEnd: figures.state === 'at its end',
        isReady: notReady().length === 0,
      }
    }),
    notReady,
    health: async () => ({ ...(await health()), feed: { ...feed.figures, notReady: notReady() } }),
  }
}

/** A source at its end does not make the feed unready: its work is done. */
function obstaclesOf({ feed, stop }: ServedFeed): string[] {
  const refusal = refusalOf(feed.figures)
  return [...(refusal === undefined ? [] : [refusal]), ...(stop.aborted ? ['the feed is stopping'] : [])]
}

/** Longer than a slow follower delays an answer, which is a second or two. */
const silenceMs = 5000

function refusalOf({ state, waiting, unansweredMs }: FeedFigures): string | undefined {
  if (state === 'kafka unavailable') return `the brokers take no messages, ${waiting} wait`
  if (unansweredMs < silenceMs) return undefined
  return `the brokers have not answered for ${Math.round(unansweredMs / 1000)} s, ${waiting} messages wait`
}

/** Without a database the progress of the messages is unknown: only the brokers can be checked. */
function kafkaHealth({ feed, cluster, config }: ServedFeed): StatusRoutes['health'] {
  const topic = config.kafkaTopic
  const description = `the feed into the topic '${topic}'; no database is configured, so no more of the pipeline is seen`
  const look = sharedLook(() => lookAtTopic(cluster, topic))
  return async () => {
    const connectivity = await look()
    const { figures } = feed
    const waiting = { value: figures.waiting, unit: 'messages', problem: refusalOf(figures) }
    const checks = { 'kafka:connectivity': connectivity, 'feed:waiting': waiting }
    return ownHealth(description, checks, Date.now())
  }
}

const freshMs = 2000
const patienceMs = 3000

/** Shares one check between requests, so that the brokers are asked at most every two seconds. */
function sharedLook(look: () => Promise<OwnCheck>): () => Promise<OwnCheck> {
  let last: { readonly atMs: number; readonly check: Promise<OwnCheck> } | undefined
  return () => {
    const nowMs = performance.now()
    if (last === undefined || nowMs - last.atMs >= freshMs) last = { atMs: nowMs, check: look() }
    return last.check
  }
}

async function lookAtTopic(cluster: KafkaCluster, topic: string): Promise<OwnCheck> {
  const error = new KpiError('KPI_KAFKA_UNREACHABLE', `Kafka did not answer within ${patienceMs / 1000} s`)
  const startedMs = performance.now()
  const seen = await withDeadline({ ms: patienceMs, error }, (signal) =>
    answerUnlessAborted(signal, () => sourceOf(() => cluster.topicMetadata(topic))),
  )
  if (seen.state === 'unknown') return { value: null, unit: 'ms', problem: seen.reason }
  const leaderless = seen.partitions.filter(({ leaderId }) => leaderId < 0).length
  const problem = leaderless > 0 ? `${leaderless} of ${seen.partitions.length} partitions have no leader` : undefined
  return { value: Math.round(performance.now() - startedMs), unit: 'ms', problem }
}
