import type { KafkaCluster, TopicMetadata } from '../kafka/client/cluster.ts'
import { assertNotCutSince, findDivergences } from '../kafka/log/epoch-ends.ts'
import { LogReader } from '../kafka/log/log-reader.ts'
import type { SymbolLoss } from '../kpi/precision-losses.ts'
import { appendLetters, eachRetried } from '../store/rebuild/dead-letters.ts'
import type { LossBounds } from '../store/rebuild/rows.ts'
import {
  mergeIntoShadow,
  type RebuildDependencies,
  type RebuildPosition,
  type RebuildSession,
} from '../store/rebuild/session.ts'
import type { Definition } from '../store/schema/definition.ts'
import type { WindowFilter } from '../store/windows/verify-snapshot.ts'
import { LogReduction } from './log-reduction.ts'
import { PartitionScan } from './partition-scan.ts'

/** Offsets of retried messages, by partition. */
export type RetriedOffsets = ReadonlyMap<number, ReadonlySet<number>>

export interface LogScanOptions {
  readonly cluster: KafkaCluster
  readonly metadata: TopicMetadata
  readonly session: RebuildSession
  readonly around: RebuildDependencies
  readonly retried: RetriedOffsets
  /** Under which messages are read now. */
  readonly definition: Definition
  readonly filter: WindowFilter
  readonly keepsLetters: boolean
  readonly maxPayloads: number
  /** Wall clock in milliseconds. */
  readonly now: () => number
  readonly onProgress: ((messages: number, offsets: number) => void) | undefined
}

/** Reads all partitions into the shadow table, in several passes; what is kept in memory is bounded. */
export class LogScan {
  readonly #options: LogScanOptions
  readonly #reduction: LogReduction
  readonly #partitions = new Map<number, PartitionScan>()
  #offsets = 0
  messages = 0

  constructor(options: LogScanOptions) {
    const { definition: rules, around } = options
    this.#options = options
    this.#reduction = new LogReduction({ ...options, rules, rulesBefore: around.definition })
  }

  /** The earliest message that counts now and did not, or the reverse; microseconds, ∞ for none. */
  get earliestFlipUs(): number {
    return this.#reduction.earliestFlipUs
  }

  /** By symbol, messages that lost precision when their numbers were rounded. */
  get precisionLost(): readonly SymbolLoss[] {
    return this.#reduction.precisionLost
  }

  /** Continues up to these positions. */
  async readTo(positions: readonly RebuildPosition[]): Promise<void> {
    this.#offsets = positions.reduce((sum, { firstOffset, nextOffset }) => sum + nextOffset - firstOffset, 0)
    const { cluster, metadata } = this.#options
    const divergences = await findDivergences(cluster, metadata, positions)
    for (const position of positions) {
      await this.of(position).readTo(position, divergences.get(position.partition)?.agreesTo)
    }
    await assertNotCutSince(divergences, cluster, metadata, positions)
    await this.#flush()
  }

  offsetsLeft(positions: readonly RebuildPosition[]): number {
    return positions.reduce((sum, position) => sum + position.nextOffset - this.of(position).offset, 0)
  }

  of({ partition, firstOffset }: RebuildPosition): PartitionScan {
    const known = this.#partitions.get(partition)
    if (known) return known
    const { cluster, metadata, around, retried } = this.#options
    const scan = new PartitionScan({
      partition,
      firstOffset,
      gaps: around.gaps.filter((gap) => gap.partition === partition),
      retried: retried.get(partition) ?? new Set(),
      reader: new LogReader(cluster, metadata),
      reduction: this.#reduction,
      rulesBefore: around.definition,
      afterChunk: (messages) => this.#afterChunk(messages),
    })
    this.#partitions.set(partition, scan)
    return scan
  }

  /** Adds what was retried. @returns The messages whose values are not accepted any more. */
  async addRetried(): Promise<{ partition: number; offset: number }[]> {
    const { session, around } = this.#options
    const refused: { partition: number; offset: number }[] = []
    await eachRetried(session, around.definition.topic, (message) => {
      if (!this.#reduction.addRetried(message)) refused.push(message)
    })
    await this.#flush()
    return refused
  }

  losses(positions: readonly RebuildPosition[]): LossBounds {
    const scans = positions.map((position) => this.of(position))
    return {
      latestUs: Math.max(-1, ...scans.map(({ latestUs }) => latestUs)),
      likelyLatestUs: Math.max(-1, ...scans.map(({ likelyLatestUs }) => likelyLatestUs)),
      cuts: this.#options.around.gaps.filter(({ kind }) => kind === 'cut'),
    }
  }

  async #afterChunk(messages: number): Promise<void> {
    this.messages += messages
    this.#options.onProgress?.(this.messages, this.#offsets)
    if (this.#reduction.isFull) await this.#flush()
  }

  async #flush(): Promise<void> {
    const { session, definition } = this.#options
    await mergeIntoShadow(session, definition, this.#reduction.takeRows())
    await appendLetters(session, this.#reduction.takeLetters())
  }
}
