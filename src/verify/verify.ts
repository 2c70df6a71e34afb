import type { KafkaCluster, TopicMetadata } from '../kafka/client/cluster.ts'
import { assertNotCutSince, findDivergences } from '../kafka/log/epoch-ends.ts'
import { LogReader } from '../kafka/log/log-reader.ts'
import type { Hole } from '../kpi/log-losses.ts'
import type { Database } from '../store/client/connection.ts'
import type { Definition } from '../store/schema/definition.ts'
import {
  type RetriedMessage,
  readFloorUs,
  readVerifySnapshot,
  sliceWindows,
  type VerifySnapshot,
  type WindowFilter,
} from '../store/windows/verify-snapshot.ts'
import { compareRows, TableRows } from './compare-rows.ts'
import { type Difference, Findings, type UncheckedWindow } from './findings.ts'
import { LetterList } from './letter-list.ts'
import { PartitionCheck } from './partition-check.ts'
import { decodePlainly } from './plain-decoder.ts'
import { PlainWindows } from './plain-windows.ts'

export interface VerifyOptions {
  readonly cluster: KafkaCluster
  readonly metadata: TopicMetadata
  readonly database: Database
  /** What the database holds, checked. */
  readonly definition: Definition
  readonly filter: WindowFilter
  /** How many differences are kept to be shown; all are counted. @defaultValue 20 */
  readonly maxShown?: number
  /** Rows in memory at a time: for more rows the log is read several times. @defaultValue 200,000 */
  readonly rowsAtOnce?: number
  /** Called from time to time with the number of messages read and of offsets to read, over all passes. */
  readonly onProgress?: (messages: number, offsets: number) => void
}

export interface VerifyReport {
  /** Messages read, and how often the log was read. */
  readonly messages: number
  readonly passes: number
  /** Rows compared, those of unchecked windows included. */
  readonly rows: number
  readonly letters: number
  readonly retried: number
  readonly differenceCount: number
  readonly differences: readonly Difference[]
  readonly uncheckedCount: number
  readonly unchecked: readonly UncheckedWindow[]
  readonly holes: readonly Hole[]
  readonly seconds: number
}

/**
 * Computes the windows of a range again from the log, with code that the worker does not share, and compares
 * them with the table: every column, the rejected messages and the counters of the positions. Each pass takes a
 * consistent snapshot of the database and reads the log up to its positions, so workers may continue.
 *
 * @throws KpiError of Kafka and PostgreSQL.
 */
export async function verify(options: VerifyOptions): Promise<VerifyReport> {
  const startedMs = performance.now()
  // Windows that were pruned are not read. What is pruned from now on is in the snapshot of each pass.
  const floorUs = await readFloorUs(options.database)
  const filter = { ...options.filter, fromUs: Math.max(floorUs, options.filter.fromUs ?? 0) }
  const slices = await sliceWindows(options.database, filter, options.rowsAtOnce ?? 200_000)
  const run = new VerifyRun(options, slices.length)
  for (const [index, slice] of slices.entries()) await run.pass(slice, index === 0)
  return { ...run.report(), seconds: (performance.now() - startedMs) / 1000 }
}

class VerifyRun {
  readonly #options: VerifyOptions
  readonly #passes: number
  readonly #differences: Findings<Difference>
  readonly #unchecked: Findings<UncheckedWindow>
  #holes: readonly Hole[] = []
  #messages = 0
  #rows = 0
  #letters = 0
  #retried = 0
  #reported = 0

  constructor(options: VerifyOptions, passes: number) {
    this.#options = options
    this.#passes = passes
    this.#differences = new Findings(options.maxShown ?? 20)
    this.#unchecked = new Findings(options.maxShown ?? 20)
  }

  report(): Omit<VerifyReport, 'seconds'> {
    return {
      messages: this.#messages,
      passes: this.#passes,
      rows: this.#rows,
      letters: this.#letters,
      retried: this.#retried,
      differenceCount: this.#differences.count,
      differences: this.#differences.first,
      uncheckedCount: this.#unchecked.count,
      unchecked: this.#unchecked.first,
      holes: this.#holes,
    }
  }

  /** One range of windows; with the first one also dead letters and counters, which belong to no window. */
  async pass(slice: WindowFilter, isFirst: boolean): Promise<void> {
    const { database, definition, rowsAtOnce = 200_000 } = this.#options
    const { topic, consumerGroup: group, windowSeconds, decimals } = definition
    const rows = new TableRows()
    const letters = new Map<number, LetterList>()
    const retried = new Map<number, Set<number>>()
    const windows = new PlainWindows({ windowSeconds, range: slice, maxWindows: 2 * rowsAtOnce })
    const snapshot = await readVerifySnapshot(database, { group, topic }, slice, {
      row: (columns) => rows.add(columns),
      retried: (message) => {
        this.#addRetried(message, windows, isFirst)
        if (!message.isArchived) offsetsOf(retried, message.partition).add(message.offset)
      },
      ...(isFirst ? { letter: (...letter) => this.#addLetter(letters, ...letter) } : {}),
    })
    const holes = await this.#readLog(snapshot, windows, retried, isFirst ? letters : undefined)
    if (isFirst) this.#compareTotals(snapshot)
    const { gaps, floorUs } = snapshot
    compareRows(
      rows,
      windows,
      { losses: { holes, gaps }, windowSeconds, decimals, floorUs },
      { differences: this.#differences, unchecked: this.#unchecked },
    )
    this.#rows += rows.count
    this.#holes = holes
  }

  #addLetter(letters: Map<number, LetterList>, partition: number, offset: number, reason: string): void {
    const list = letters.get(partition) ?? new LetterList()
    letters.set(partition, list)
    list.add(offset, reason)
    this.#letters += 1
  }

  /** A retried message is in the rows with the value it was retried with. */
  #addRetried(
    { partition, offset, payload, messageAtUs, isLate }: RetriedMessage,
    windows: PlainWindows,
    isFirst: boolean,
  ): void {
    const { maxFutureSeconds, decimals } = this.#options.definition
    const latestUs = messageAtUs === null ? Number.POSITIVE_INFINITY : messageAtUs + maxFutureSeconds * 1e6
    const message = decodePlainly(payload, latestUs, decimals)
    if (typeof message !== 'string') windows.add(message, { partition, offset }, isLate)
    if (!isFirst) return
    this.#retried += 1
    if (typeof message !== 'string') return
    this.#differences.add({ partition, offset, column: 'retried_payload', table: 'merged', recomputed: message })
  }

  async #readLog(
    { positions, gaps }: VerifySnapshot,
    windows: PlainWindows,
    retried: Map<number, Set<number>>,
    letters: ReadonlyMap<number, LetterList> | undefined,
  ): Promise<Hole[]> {
    const { cluster, metadata, definition } = this.#options
    const offsets = positions.reduce((sum, { firstOffset, nextOffset }) => sum + nextOffset - firstOffset, 0)
    const holes: Hole[] = []
    const divergences = await findDivergences(cluster, metadata, positions)
    for (const position of positions) {
      const { partition } = position
      const check = new PartitionCheck({
        ...definition,
        reader: new LogReader(cluster, metadata),
        position,
        agreesTo: divergences.get(partition)?.agreesTo,
        gaps: gaps.filter((gap) => gap.partition === partition),
        windows,
        retried: offsetsOf(retried, partition),
        letters: letters && (letters.get(partition) ?? new LetterList()),
        differences: this.#differences,
        onMessages: (count) => this.#count(count, offsets),
      })
      holes.push(...(await check.run()))
    }
    await assertNotCutSince(divergences, cluster, metadata, positions)
    return holes
  }

  #count(messages: number, offsets: number): void {
    this.#messages += messages
    if (this.#messages - this.#reported < progressMessages) return
    this.#reported = this.#messages
    this.#options.onProgress?.(this.#messages, offsets * this.#passes)
  }

  /** Each message that was merged is in exactly one row, unless that was pruned. */
  #compareTotals({ positions, tradeCount, prunedMessages }: VerifySnapshot): void {
    const merged = positions.reduce((sum, position) => sum + position.merged + position.retried, 0) - prunedMessages
    if (merged === tradeCount) return
    const [table, recomputed] = [String(tradeCount), String(merged)]
    this.#differences.add({ column: 'sum of trade_count', table, recomputed })
  }
}

function offsetsOf(byPartition: Map<number, Set<number>>, partition: number): Set<number> {
  const offsets = byPartition.get(partition) ?? new Set()
  byPartition.set(partition, offsets)
  return offsets
}

const progressMessages = 500_000
