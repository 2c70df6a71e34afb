import type { Config } from '../config/load.ts'
import type { TopicMetadata } from '../kafka/client/cluster.ts'
import type { Definition } from '../store/schema/definition.ts'

/** The definition of a database that these settings fill from this topic. */
export function definitionOf(config: Config, metadata: TopicMetadata): Definition {
  return {
    clusterId: metadata.clusterId,
    topic: metadata.topic,
    topicId: metadata.topicId,
    consumerGroup: config.kafkaGroup,
    windowSeconds: config.windowSeconds,
    allowedLatenessSeconds: config.allowedLatenessSeconds,
    maxFutureSeconds: config.maxFutureSeconds,
    decimals: config.decimals,
  }
}
