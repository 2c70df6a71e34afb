import type { Option } from 'commander'
import type { Config } from '../../config/load.ts'
import type { KafkaCluster } from '../../kafka/client/cluster.ts'
import type { ProducerOptions } from '../../kafka/produce/producer.ts'
import type { Logger } from '../../log.ts'
import type { PriceSource } from '../source.ts'

/**
 * A kind of prices that `feed` can send. One object describes all of it, and registry.ts lists it: the command line, its
 * help and the checks of options read the object, so that a new source is its own folder and one line in the registry.
 */
export interface FeedSource {
  /** `simulate`: the word before the colon on the command line, and the label in metrics. */
  readonly name: string
  /** What follows the colon, for help: `FILE`. Undefined for a source without an argument. */
  readonly argument?: string
  /** What it sends, for `feed --help`; one line or several. */
  readonly about: string
  /** Settings that only this source reads, which are refused with others: `symbols`. */
  readonly settings?: readonly string[]
  /** Whether `up` has its options too. */
  readonly isConfiguredByUp?: boolean
  /** Its command-line options, new ones at each call, as commander needs for each command. */
  options(): readonly Option[]
  /**
   * Checks all that can be checked without servers, and loads what the source needs.
   *
   * @throws KpiError `KPI_USAGE` for options that mean nothing, or nothing together; `KPI_FEED_FILE` for a file that cannot
   *   be read.
   */
  prepare(request: FeedRequest): Promise<PreparedFeed>
}

export interface FeedRequest {
  /** What was behind the colon; empty where nothing was. */
  readonly argument: string
  /** The parsed values of the command's options, those of {@link FeedSource.options} among them. */
  readonly flags: object
  readonly config: Config
  readonly log: Logger
}

export interface PreparedFeed {
  readonly open: OpenFeed
  /** For who only wanted to know whether it can be prepared: closes what is open. */
  close(): Promise<void>
}

/** Opens a source when the cluster can be asked, and says what of an earlier producer it continues. */
export type OpenFeed = (
  place: { readonly cluster: KafkaCluster; readonly topic: string },
  stop: AbortSignal,
) => Promise<{
  readonly source: (partitionCount: number) => Promise<PriceSource>
  readonly continues?: NonNullable<ProducerOptions['continues']>
}>
