import { KpiError, messageOf } from '../errors.ts'
import type { FetchHandler } from '../kafka/fetch/fetch-handler.ts'
import type { FetchedRecords } from '../kafka/fetch/fetcher.ts'
import type { GroupListener } from '../kafka/group/group-member.ts'
import type { SymbolLoss } from '../kpi/precision-losses.ts'
import type { Logger } from '../log.ts'
import { pause, within } from '../runtime/abort.ts'
import { Backoff } from '../runtime/backoff.ts'
import { type Clock, systemClock } from '../runtime/clock.ts'
import type { Position } from '../store/positions/positions.ts'
import { KafkaOffsetMirror } from './kafka-offset-mirror.ts'
import { Lane } from './lane.ts'
import { type OutOfRangePartition, OutOfRangePartitions } from './out-of-range-partitions.ts'
import type { ReductionOptions, TakenBatch } from './pending-batch.ts'
import { PositionWatch } from './position-watch.ts'
import { PrecisionWatch } from './precision-watch.ts'
import type { WorkerPorts } from './worker-ports.ts'
import type { WorkerStep } from './worker-steps.ts'

/**
 * One worker: a member of the consumer group that reads its partitions, reduces them and commits the result.
 *
 * A partition is
 * - opening: assigned, and its position is being read;
 * - reading: fetched from its leader and reduced by its lane;
 * - stranded (out of range): the log differs from the one that was read up to its position. This is reported until an
 *   operator decides how to continue, then the partition is opened again.
 *
 * A partition is given up by a revocation (pending records are written first) or a loss (they are discarded). The fence
 * of the commit protects the rows in any case; these states only save work and make the reports correct.
 */
export interface WorkerOptions {
  readonly ports: WorkerPorts
  readonly reduction: ReductionOptions
  readonly batchSize: number
  readonly batchWaitMs: number
  /** The number of commits that may be in flight, each for different partitions. */
  readonly lanes: number
  /** The limit of one lane. @defaultValue 40,000, or four times the batch size */
  readonly maxPendingRows?: number
  /** Called for a failure that waiting cannot fix: the process has to end with this error. */
  readonly fatal: (error: KpiError) => void
  readonly log: Logger
  readonly clock?: Clock
  /** Called at each step of the operations that must survive a crash; tests end or freeze the process there. */
  readonly onStep?: (step: WorkerStep) => void
}

/** Counts since the start. */
export interface WorkerFigures {
  readonly state: 'joining' | 'reading' | 'rebalancing' | 'database unavailable' | 'stranded' | 'stopping'
  readonly merged: number
  readonly rejected: number
  readonly batches: number
  readonly rows: number
  readonly partitions: readonly number[]
  readonly stranded: readonly OutOfRangePartition[]
  /**
   * How often a position was before one that the database had confirmed: the database was replaced by an older copy.
   */
  readonly positionsMovedBack: number
  /** The number of offsets between the last reduced record and the end of the log, over all partitions being read. */
  readonly unreadOffsets: number
  readonly pendingRows: number
  /** How often records had to wait for the limit of pending rows. */
  readonly floodWaits: number
  /** The number of batches that have been ready for long and wait for a database connection. */
  readonly overdueBatches: number
  /**
   * The number of messages in which rounding changed a number by more than one ten-thousandth; below, the symbols of
   * the last hour.
   */
  readonly precisionLost: number
  readonly precisionLosses: readonly SymbolLoss[]
  readonly isGroupStable: boolean
  /** Wall clock; NaN before the first records. */
  readonly firstRecordsAtMs: number
  readonly lastCommitAtMs: number
}

const openLimits = { firstMs: 200, capMs: 5000 }

export class Worker {
  readonly #options: WorkerOptions
  readonly #ports: WorkerPorts
  readonly #clock: Clock
  readonly #lanes: readonly Lane[]
  readonly #fetcher: ReturnType<WorkerPorts['fetcher']>
  readonly #group: ReturnType<WorkerPorts['group']>
  readonly #mirror: KafkaOffsetMirror
  readonly #stranded: OutOfRangePartitions
  readonly #precision: PrecisionWatch
  readonly #watch: PositionWatch
  readonly #stopping = new AbortController()
  readonly #figures = {
    merged: 0,
    rejected: 0,
    batches: 0,
    rows: 0,
    firstRecordsAtMs: Number.NaN,
    lastCommitAtMs: Number.NaN,
  }
  /** All partitions assigned to this worker, in any state. */
  readonly #assigned = new Set<number>()
  #stopped: Promise<void> | undefined

  constructor(options: WorkerOptions) {
    const { ports, log, clock = systemClock, reduction } = options
    this.#options = options
    this.#ports = ports
    this.#clock = clock
    this.#precision = new PrecisionWatch({ log, clock, decimals: reduction.decimals })
    this.#lanes = Array.from({ length: options.lanes }, () => this.#makeLane())
    this.#fetcher = ports.fetcher(this.#fetchHandler())
    this.#group = ports.group(this.#groupListener())
    this.#mirror = new KafkaOffsetMirror({ commit: (offsets) => this.#commitToKafka(offsets), log, clock })
    this.#stranded = new OutOfRangePartitions({
      log,
      clock,
      readPositions: (partitions) => ports.readPositions(partitions),
      resume: (position) => this.#resume([position]),
      unknown: (partitions) => void this.#open(partitions),
    })
    const comparePositions = ports.comparePositions.bind(ports)
    this.#watch = new PositionWatch({ lanes: this.#lanes, comparePositions, log, clock })
    ports.onConnected(() => this.#watch.compare())
  }

  get figures(): WorkerFigures {
    const progress = this.#lanes.flatMap((lane) => [...lane.partitions.values()])
    return {
      ...this.#figures,
      state: this.#state(),
      partitions: [...this.#assigned].sort((a, b) => a - b),
      stranded: this.#stranded.partitions,
      positionsMovedBack: this.#watch.movedBack,
      unreadOffsets: progress.reduce((sum, { unreadOffsets }) => sum + unreadOffsets, 0),
      pendingRows: this.#lanes.reduce((sum, { pendingRows }) => sum + pendingRows, 0),
      floodWaits: this.#lanes.reduce((sum, { floodWaits }) => sum + floodWaits, 0),
      precisionLost: this.#precision.messages,
      precisionLosses: this.#precision.recent,
      overdueBatches: this.#lanes.filter((lane) => lane.isOverdue).length,
      isGroupStable: this.#group.state === 'stable',
    }
  }

  /**
   * Resolves when the worker can read partitions as soon as they are assigned. A member that cannot would delay them.
   */
  get ready(): Promise<void> {
    return this.#fetcher.ready
  }

  start(): void {
    for (const lane of this.#lanes) lane.start()
    this.#group.start()
    this.#watch.start()
  }

  /** Writes pending records, commits the offsets to Kafka and leaves the group, all within the deadline. Idempotent. */
  stop(deadlineMs: number): Promise<void> {
    this.#stopped ??= this.#stop(deadlineMs)
    return this.#stopped
  }

  async #stop(deadlineMs: number): Promise<void> {
    const until = this.#clock.now() + deadlineMs
    const leftMs = (share = 1) => Math.max(50, (until - this.#clock.now()) * share)
    this.#stopping.abort()
    this.#watch.stop()
    this.#stranded.stop()
    const partitions = [...this.#assigned]
    for (const partition of partitions) this.#fetcher.remove(partition)
    this.#reached('stopping')
    await Promise.all(this.#lanes.map((lane) => lane.close(partitions, leftMs(0.6))))
    this.#reached('stopping-written')
    await this.#mirror.stop(leftMs(0.5))
    this.#reached('stopping-mirrored')
    const left = this.#group.stop(leftMs()).then(() => this.#reached('left'))
    const parts = [left, this.#fetcher.stop(), ...this.#lanes.map((lane) => lane.stop())]
    // With an unresponsive database, a lane's commit may take as long as the query timeout.
    await within(leftMs(), Promise.all(parts), this.#clock)
  }

  #state(): WorkerFigures['state'] {
    if (this.#stopping.signal.aborted) return 'stopping'
    if (this.#lanes.some((lane) => lane.isBackedUp)) return 'database unavailable'
    if (this.#stranded.partitions.length > 0) return 'stranded'
    const { state } = this.#group
    return state === 'stable' ? 'reading' : state === 'rebalancing' ? 'rebalancing' : 'joining'
  }

  #laneOf(partition: number): Lane {
    return this.#lanes[partition % this.#lanes.length] as Lane
  }

  #makeLane(): Lane {
    const { reduction, batchSize, batchWaitMs, maxPendingRows, log } = this.#options
    return new Lane({
      ...(maxPendingRows === undefined ? {} : { maxPendingRows }),
      batchSize,
      batchWaitMs,
      reduction,
      log,
      clock: this.#clock,
      commit: (batch) => this.#commit(batch),
      committed: (batch) => this.#committed(batch),
      readPositions: (partitions) => this.#ports.readPositions(partitions),
      reposition: (positions) => this.#seek(positions),
      unknown: (partitions) => void this.#open(partitions),
      fatal: (error) => this.#options.fatal(error),
    })
  }

  async #commit(batch: TakenBatch): Promise<void> {
    this.#reached('taken')
    await this.#ports.commit(batch)
    this.#reached('written')
  }

  async #commitToKafka(offsets: ReadonlyMap<number, number>): Promise<void> {
    await this.#group.commit(offsets)
    if (this.#figures.batches > 0) this.#reached('mirrored')
  }

  #reached(step: WorkerStep): void {
    this.#options.onStep?.(step)
  }

  #committed({ advances, rows, losses }: TakenBatch): void {
    for (const { partition, nextOffset, merged, rejected } of advances) {
      this.#figures.merged += merged
      this.#figures.rejected += rejected
      this.#watch.confirm(partition, nextOffset)
      this.#mirror.note(partition, nextOffset)
    }
    this.#precision.committed(losses)
    this.#figures.rows += rows.length
    this.#figures.batches += 1
    this.#figures.lastCommitAtMs = this.#clock.wallMs()
  }

  #fetchHandler(): FetchHandler {
    return {
      wants: (partition) => this.#laneOf(partition).hasRoom,
      records: (answer: readonly FetchedRecords[]) => {
        for (const fetched of answer) {
          if (Number.isNaN(this.#figures.firstRecordsAtMs) && fetched.next > fetched.from) {
            this.#figures.firstRecordsAtMs = this.#clock.wallMs()
          }
          this.#laneOf(fetched.partition).take(fetched)
        }
      },
      outOfRange: (partition, offset, log) => {
        this.#laneOf(partition).drop([partition])
        this.#watch.forget([partition])
        this.#stranded.add(partition, offset, log)
      },
      fatal: (error) => this.#options.fatal(error),
    }
  }

  #groupListener(): GroupListener {
    return {
      assigned: (partitions) => {
        for (const partition of partitions) this.#assigned.add(partition)
        this.#reached('assigned')
        void this.#open(partitions)
      },
      revoked: async (partitions, deadlineMs) => {
        this.#giveUp(partitions)
        this.#reached('revoked')
        await Promise.all(this.#lanes.map((lane) => lane.close(partitions, deadlineMs)))
        this.#reached('revoked-written')
        await this.#mirror.flush()
        this.#mirror.forget(partitions)
        this.#reached('revoked-mirrored')
      },
      lost: (partitions) => {
        this.#giveUp(partitions)
        for (const lane of this.#lanes) lane.drop(partitions)
        this.#mirror.forget(partitions)
      },
      fatal: (error) => this.#options.fatal(error),
    }
  }

  #giveUp(partitions: readonly number[]): void {
    for (const partition of partitions) {
      this.#assigned.delete(partition)
      this.#fetcher.remove(partition)
      this.#stranded.remove(partition)
    }
    this.#watch.forget(partitions)
  }

  /** Reads the positions of newly assigned partitions, retrying until it succeeds, and starts reading there. */
  async #open(partitions: readonly number[]): Promise<void> {
    const { log, fatal } = this.#options
    const backoff = new Backoff({ ...openLimits, random: this.#clock.random })
    const opened = new Set<number>()
    while (!this.#stopping.signal.aborted) {
      const own = partitions.filter((partition) => this.#assigned.has(partition) && !opened.has(partition))
      if (own.length === 0) return
      try {
        const positions = await this.#ports.openPositions(await this.#ports.earliestOffsets(own))
        this.#reached('positioned')
        this.#resume(positions)
        // A position is missing when the database was replaced by an older copy between the two statements.
        for (const { partition } of positions) opened.add(partition)
      } catch (error) {
        if (!(error instanceof KpiError)) throw error
        if (!error.retryable) return fatal(error)
        if (backoff.attempt === 0) log.warn(`partitions ${own.join(', ')} are not read yet: ${messageOf(error)}`)
        await pause(backoff.nextMs(), this.#stopping.signal, this.#clock)
      }
    }
  }

  /** Starts reading at these positions, for partitions that are still assigned. */
  #resume(positions: readonly Position[]): void {
    if (this.#stopping.signal.aborted) return
    const own = positions.filter(({ partition }) => this.#assigned.has(partition))
    for (const position of own) this.#laneOf(position.partition).open(position)
    this.#seek(own)
  }

  #seek(positions: readonly Position[]): void {
    if (this.#stopping.signal.aborted) return
    this.#watch.resume(positions)
    for (const { partition, nextOffset, leaderEpoch, epochFrom } of positions) {
      this.#fetcher.seek(partition, nextOffset, { leaderEpoch, epochFrom })
      // If the position moved back, Kafka's copy would otherwise be ahead of it.
      this.#mirror.note(partition, nextOffset)
    }
  }
}
