import { KpiError } from '../errors.ts'
import type { KafkaCluster, TopicMetadata } from '../kafka/client/cluster.ts'
import type { SymbolLoss } from '../kpi/precision-losses.ts'
import type { PostgresOptions } from '../store/client/connection.ts'
import type { PositionKey } from '../store/positions/positions.ts'
import {
  applyLetters,
  countTakenTwice,
  eachRetried,
  type LetterCounts,
  type LetterPlan,
  planLetters,
  takeBackRetries,
} from '../store/rebuild/dead-letters.ts'
import { countMerged, noteEarlierRows, replaceDefinition, writeCounters } from '../store/rebuild/positions.ts'
import {
  analyzeShadow,
  applyPlan,
  countRows,
  type LeftWindow,
  type LossBounds,
  leftWindows,
  type PlanCounts,
  planRows,
} from '../store/rebuild/rows.ts'
import {
  inRebuildTransaction,
  lockForRebuild,
  type RebuildDependencies,
  type RebuildPosition,
  type RebuildSession,
  readDependencies,
  readRebuildPositions,
  withRebuildSession,
} from '../store/rebuild/session.ts'
import { assertSameDefinition, type Definition } from '../store/schema/definition.ts'
import type { WindowFilter } from '../store/windows/verify-snapshot.ts'
import { countersAfter } from './counters.ts'
import { LogScan, type RetriedOffsets } from './log-scan.ts'
import { commonWindowStart } from './window-floor.ts'

export interface RebuildOptions {
  readonly cluster: KafkaCluster
  readonly metadata: TopicMetadata
  readonly postgres: PostgresOptions
  /** What the database is to hold. */
  readonly definition: Definition
  /** `all`: rows, dead letters, counters and definition. Otherwise the rows of a range, under the same definition. */
  readonly scope: 'all' | WindowFilter
  /** Reports what would change, and changes nothing. */
  readonly isDryRun: boolean
  /** New dead letters whose payload is stored. */
  readonly maxPayloads: number
  /** How many windows that are left alone are named; all are counted. @defaultValue 20 */
  readonly maxShown?: number
  /** Wall clock in milliseconds, for messages without a timestamp of Kafka's. */
  readonly now: () => number
  readonly onProgress?: (messages: number, offsets: number) => void
  /** Called at the start of each step; tests end the process there. */
  readonly onStep?: (step: RebuildStep) => Promise<void>
}

/** The log is read; the positions are locked; everything is written but not committed. */
export type RebuildStep = 'read' | 'locked' | 'written'

export interface RebuildReport {
  readonly messages: number
  readonly rows: PlanCounts
  /** The first windows that the log does not hold whole. */
  readonly left: readonly LeftWindow[]
  /** Rows of the earlier definition that stay, all of windows before `keptBeforeUs`. */
  readonly kept: number
  readonly keptBeforeUs: number
  readonly letters: Pick<LetterCounts, 'added' | 'removed' | 'changed'>
  /** Retries taken back, since their values are not accepted any more. */
  readonly retriesTakenBack: number
  /** Symbols of the messages read of which rounding changed a number by more than one ten-thousandth; at most 1000. */
  readonly precisionLost: readonly SymbolLoss[]
  readonly seconds: number
  /** For how long workers had to wait. */
  readonly lockedSeconds: number
}

/** Workers wait while so much is read, at most, unless they are faster than this. */
const tailOffsets = 20_000
const maxRounds = 8
const noLosses: LossBounds = { latestUs: -1, likelyLatestUs: -1, cuts: [] }

/**
 * Computes rows again from the log and replaces those in the table, while workers continue:
 *
 *   1. Read the log up to the positions, into a shadow table; repeat until little is left.
 *   2. Lock the positions, in the order of a commit. From here on workers wait.
 *   3. Read what arrived in the meantime, exactly up to the locked positions; add the retried messages.
 *   4. Compare shadow and table; delete and insert the rows that differ, in place. With `all`: dead letters, counters, and
 *      the definition under a new id, which stops workers of the old one.
 *   5. Commit. Until then no change is visible; a rebuild that dies leaves nothing behind.
 *
 * @throws KpiError `KPI_REBUILD_RUNNING`, `KPI_REBUILD_REFUSED`, `KPI_DEFINITION_MISMATCH`, `KPI_POSITION_MOVED`.
 */
export async function rebuild(options: RebuildOptions): Promise<RebuildReport> {
  return withRebuildSession(options.postgres, async (session) => {
    const around = await readDependencies(session)
    checkDefinition(options, around, session.place)
    const retried = new Map<number, Set<number>>()
    await inRebuildTransaction(session, true, () =>
      eachRetried(session, around.definition.topic, ({ partition, offset, isArchived }) => {
        const offsets = retried.get(partition) ?? new Set()
        if (!isArchived) retried.set(partition, offsets.add(offset))
      }),
    )
    return new RebuildRun(options, session, around, retried).run()
  })
}

/** A changed definition must still name the same log, since the rows are computed from it. */
function checkDefinition({ definition: wanted, scope }: RebuildOptions, around: RebuildDependencies, place: string) {
  const { consumerGroup, windowSeconds, allowedLatenessSeconds, maxFutureSeconds, decimals } = around.definition
  const rules = { windowSeconds, allowedLatenessSeconds, maxFutureSeconds, decimals }
  const free = scope === 'all' ? { consumerGroup, ...rules } : {}
  assertSameDefinition(around.definition, { ...wanted, ...free }, place)
}

class RebuildRun {
  readonly #options: RebuildOptions
  readonly #session: RebuildSession
  readonly #around: RebuildDependencies
  readonly #key: PositionKey
  readonly #scan: LogScan

  constructor(options: RebuildOptions, session: RebuildSession, around: RebuildDependencies, retried: RetriedOffsets) {
    const { scope, onProgress } = options
    this.#options = options
    this.#session = session
    this.#around = around
    this.#key = { group: around.definition.consumerGroup, topic: around.definition.topic }
    this.#scan = new LogScan({
      ...options,
      session,
      around,
      retried,
      filter: atLeast(scope === 'all' ? {} : scope, around.floorUs),
      keepsLetters: scope === 'all',
      onProgress,
    })
  }

  get #isAll(): boolean {
    return this.#options.scope === 'all'
  }

  /** Whether the same messages would result in other rows. */
  get #hasNewRules(): boolean {
    const [held, wanted] = [this.#around.definition, this.#options.definition]
    const names = ['windowSeconds', 'allowedLatenessSeconds', 'maxFutureSeconds', 'decimals'] as const
    return names.some((name) => held[name] !== wanted[name])
  }

  async run(): Promise<RebuildReport> {
    const { isDryRun, onStep } = this.#options
    const startedMs = performance.now()
    await this.#readAhead()
    await analyzeShadow(this.#session)
    await onStep?.('read')
    let lockedMs = performance.now()
    const report = await inRebuildTransaction(this.#session, isDryRun, async () => {
      const positions = isDryRun
        ? await readRebuildPositions(this.#session, this.#key)
        : await lockForRebuild(this.#session, this.#key)
      lockedMs = performance.now()
      await onStep?.('locked')
      const done = await this.#finish(positions)
      await onStep?.('written')
      return done
    })
    const endMs = performance.now()
    const lockedSeconds = isDryRun ? 0 : (endMs - lockedMs) / 1000
    const { messages, precisionLost } = this.#scan
    return { ...report, messages, precisionLost, seconds: (endMs - startedMs) / 1000, lockedSeconds }
  }

  /** Step 1. */
  async #readAhead(): Promise<void> {
    for (let round = 0; round < maxRounds; round++) {
      const positions = await readRebuildPositions(this.#session, this.#key)
      if (this.#scan.offsetsLeft(positions) <= tailOffsets) return
      await this.#scan.readTo(positions)
    }
  }

  /** Steps 3 and 4. */
  async #finish(positions: readonly RebuildPosition[]) {
    const around = await this.#assertUnchanged()
    await this.#scan.readTo(positions)
    const { topic } = around.definition
    if ((await countTakenTwice(this.#session, topic)) > 0) throw moved('a rejected message was retried')
    const takenBack = await this.#scan.addRetried()
    const filter = this.#finalFilter(positions, around.floorUs)
    const rows = await planRows(this.#session, {
      filter,
      losses: this.#hasNewRules ? noLosses : this.#scan.losses(positions),
      ...this.#options.definition,
    })
    const keptBeforeUs = this.#hasNewRules ? (filter.fromUs ?? 0) : 0
    const { rowsBefore: kept } = await countRows(this.#session, keptBeforeUs)
    const letterPlan = this.#letterPlan(positions, topic)
    const letters = this.#isAll ? await planLetters(this.#session, letterPlan) : noLetters
    if (!this.#options.isDryRun) {
      await applyPlan(this.#session)
      if (this.#isAll) await this.#applyAll(positions, { around, letterPlan, letters, takenBack, keptBeforeUs })
    }
    const left = await leftWindows(this.#session, this.#options.maxShown ?? 20)
    return { rows, left, kept, keptBeforeUs, letters, retriesTakenBack: this.#isAll ? takenBack.length : 0 }
  }

  /** A gap that was accepted in the meantime moves a position below what was read: then the rebuild must start again. */
  async #assertUnchanged(): Promise<RebuildDependencies> {
    const now = await readDependencies(this.#session)
    if (now.definition.id !== this.#around.definition.id) {
      throw new KpiError(
        'KPI_DEFINITION_MISMATCH',
        `the database at ${this.#session.place} now holds another definition`,
      )
    }
    if (now.gaps.length !== this.#around.gaps.length) throw moved('a gap was accepted')
    return now
  }

  /**
   * Under new rules what is not whole cannot be decided window by window, as rows of the old length say nothing about
   * windows of the new one: everything before one instant stays, at which windows of both lengths start.
   */
  #finalFilter(positions: readonly RebuildPosition[], floorUs: number): WindowFilter {
    const { scope, definition } = this.#options
    if (!this.#hasNewRules) return atLeast(scope === 'all' ? {} : scope, floorUs)
    const { likelyLatestUs, cuts } = this.#scan.losses(positions)
    const lostUs = Math.max(likelyLatestUs, ...cuts.map(({ toEventUs }) => toEventUs))
    const fromUs = commonWindowStart(
      Math.max(floorUs, lostUs + 1),
      this.#around.definition.windowSeconds,
      definition.windowSeconds,
    )
    if (this.#scan.earliestFlipUs >= fromUs) return { fromUs }
    throw new KpiError(
      'KPI_REBUILD_REFUSED',
      'another MAX_FUTURE_SECONDS or DECIMALS decides otherwise about messages of windows that the log no longer holds whole, or that were pruned',
    )
  }

  #letterPlan(positions: readonly RebuildPosition[], topic: string): LetterPlan {
    const whole = positions.filter((position) => this.#scan.of(position).isWhole)
    const partitionsOf = (some: readonly RebuildPosition[]) => some.map(({ partition }) => partition)
    return { topic, whole: partitionsOf(whole), unpurged: partitionsOf(whole.filter(({ purged }) => purged === 0)) }
  }

  async #applyAll(positions: readonly RebuildPosition[], plan: AllPlan): Promise<void> {
    const session = this.#session
    const { around, letterPlan, letters, takenBack, keptBeforeUs } = plan
    const { definition: held } = around
    const { definition: wanted } = this.#options
    await applyLetters(session, letterPlan)
    await takeBackRetries(session, held.topic, takenBack)
    const counters = positions.map((position) =>
      countersAfter(position, this.#scan.of(position), letters.unpurged.get(position.partition) ?? 0),
    )
    await writeCounters(session, held, counters)
    if (this.#hasNewRules) await this.#assertTotals(around)
    if (keptBeforeUs > around.floorUs) await noteEarlierRows(session, keptBeforeUs, held.windowSeconds)
    if (this.#hasNewRules || wanted.consumerGroup !== held.consumerGroup) await replaceDefinition(session, held, wanted)
  }

  /** Where the log has holes: proof that none of the messages that are gone belongs to a window that was rebuilt. */
  async #assertTotals({ definition, prunedMessages }: RebuildDependencies): Promise<void> {
    const { messages } = await countRows(this.#session, 0)
    const merged = await countMerged(this.#session, definition)
    if (messages + prunedMessages === merged) return
    throw new KpiError(
      'KPI_REBUILD_REFUSED',
      `the rows would hold ${messages} messages, and ${merged - prunedMessages} were merged: the log no longer holds all ` +
        "of the windows that it seems to hold, or rows are wrong already; see 'market-kpi verify' under the old settings",
    )
  }
}

interface AllPlan {
  readonly around: RebuildDependencies
  readonly letterPlan: LetterPlan
  readonly letters: LetterCounts
  readonly takenBack: readonly { partition: number; offset: number }[]
  readonly keptBeforeUs: number
}

const noLetters: LetterCounts = { added: 0, removed: 0, changed: 0, unpurged: new Map() }

function atLeast(filter: WindowFilter, floorUs: number): WindowFilter {
  return { ...filter, fromUs: Math.max(floorUs, filter.fromUs ?? 0) }
}

function moved(what: string): KpiError {
  return new KpiError('KPI_POSITION_MOVED', `${what} while the log was read: nothing was changed, run it again`)
}
