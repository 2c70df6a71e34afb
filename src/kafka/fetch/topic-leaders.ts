import { KpiError } from '../../errors.ts'
import { unlessAborted } from '../../runtime/abort.ts'
import type { KafkaCluster, TopicMetadata } from '../client/cluster.ts'

export interface TopicLeadersOptions {
  readonly cluster: KafkaCluster
  readonly topic: string
  /** Aborts waiting for an answer. */
  readonly signal: AbortSignal
  /** Called after each metadata refresh. */
  readonly refreshed: () => void
  /** Called for a permanent failure, for example when the topic was re-created. */
  readonly fatal: (error: unknown) => void
}

const noLeader = -1

/** The latest metadata of a topic while a fetcher reads it. */
export class TopicLeaders {
  readonly #options: TopicLeadersOptions
  #metadata: TopicMetadata
  #refreshing: Promise<void> | undefined
  #failure: string | undefined

  constructor(options: TopicLeadersOptions, metadata: TopicMetadata) {
    this.#options = options
    this.#metadata = metadata
  }

  get metadata(): TopicMetadata {
    return this.#metadata
  }

  /** Why the last refresh failed. */
  get failure(): string | undefined {
    return this.#failure
  }

  /** −1 when the partition has no leader at the moment. */
  leaderOf(partition: number): number {
    return this.#metadata.partitions[partition]?.leaderId ?? noLeader
  }

  /** Refreshes the metadata; concurrent calls share one request. */
  refresh(): void {
    this.#refreshing ??= this.#read().finally(() => {
      this.#refreshing = undefined
    })
  }

  async #read(): Promise<void> {
    const { cluster, topic, signal, refreshed, fatal } = this.#options
    try {
      const found = await unlessAborted(cluster.topicMetadata(topic), signal)
      if (found === undefined) return
      if (found.topicId !== this.#metadata.topicId) return fatal(topicRecreated(this.#metadata, found))
      this.#metadata = found
      this.#failure = undefined
      refreshed()
    } catch (error) {
      if (!(error instanceof KpiError && error.retryable)) return fatal(error)
      this.#failure = error.message
    }
  }
}

function topicRecreated(before: TopicMetadata, now: TopicMetadata): KpiError {
  return new KpiError(
    'KPI_TOPIC_RECREATED',
    `the topic '${now.topic}' was deleted and created again: its id was ${before.topicId}, now it is ${now.topicId}; ` +
      `'market-kpi init --accept-new-topic' keeps the old rows apart and starts with the new topic`,
  )
}
