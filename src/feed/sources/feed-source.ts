import type { Option } from 'commander'
import type { Config } from '../../config/load.ts'
import type { KafkaCluster } from '../../kafka/client/cluster.ts'
import type { ProducerOptions } from '../../kafka/produce/producer.ts'
import type { Logger } from '../../log.ts'
import type { PriceSource } from '../source.ts'

/**
 * A kind of source that `feed` can run. The object describes it completely, and registry.ts lists it. The command
 * line, its help and the option checks read this object, so a new source needs only its own folder and one line in
 * the registry.
 */
export interface FeedSource {
  /** `simulate`: the word before the colon on the command line, and the label in metrics. */
  readonly name: string
  /** What follows the colon, as help shows it: `FILE`. Undefined for a source without an argument. */
  readonly argument?: string
  /** What it sends, for `feed --help`; one line or several. */
  readonly about: string
  /** Settings that only this source reads, such as `symbols`. Other sources reject them. */
  readonly settings?: readonly string[]
  /** Whether `up` accepts its options, too. */
  readonly isConfiguredByUp?: boolean
  /** Its command-line options. Each call returns new objects, because commander needs its own for each command. */
  options(): readonly Option[]
  /**
   * Checks everything that can be checked without servers, and loads what the source needs.
   *
   * @throws KpiError `KPI_USAGE` for invalid options or combinations; `KPI_FEED_FILE` for a file that cannot be read.
   */
  prepare(request: FeedRequest): Promise<PreparedFeed>
}

export interface FeedRequest {
  /** The text after the colon; empty if there was none. */
  readonly argument: string
  /** The parsed options of the command, including those of {@link FeedSource.options}. */
  readonly flags: object
  readonly config: Config
  readonly log: Logger
}

export interface PreparedFeed {
  readonly open: OpenFeed
  /** Closes what is open, for callers that only checked whether the source can be prepared. */
  close(): Promise<void>
}

/** Opens the source once the cluster is reachable, and returns which earlier producer it continues. */
export type OpenFeed = (
  place: { readonly cluster: KafkaCluster; readonly topic: string },
  stop: AbortSignal,
) => Promise<{
  readonly source: (partitionCount: number) => Promise<PriceSource>
  readonly continues?: NonNullable<ProducerOptions['continues']>
}>
