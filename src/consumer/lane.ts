import { KpiError } from '../errors.ts'
import type { FetchedRecords } from '../kafka/fetch/fetcher.ts'
import type { Logger } from '../log.ts'
import { pause } from '../runtime/abort.ts'
import { Backoff } from '../runtime/backoff.ts'
import type { Clock } from '../runtime/clock.ts'
import type { ExpectedPosition, Position } from '../store/positions/positions.ts'
import { Intake } from './intake.ts'
import { LaneStates } from './lane-state.ts'
import type { PartitionProgress } from './partition-progress.ts'
import type { ReductionOptions, TakenBatch } from './pending-batch.ts'

/**
 * Some partitions of a worker, whose batches are committed one after the other. Fetched records are reduced into the
 * pending batch; a batch that is full, or has waited long enough, is committed while the next one grows.
 *
 * The lane is waiting, committing, retrying, resetting or stopped: lane-state.ts explains each state and what ends it.
 * It resets when another worker has committed (KPI_POSITION_MOVED), when the database was replaced by an older copy,
 * and when partitions are given up before their pending records were written.
 *
 * At most one transaction is in flight, so at most one for each partition. A batch is either committed whole or
 * discarded whole; nothing is merged from memory without the fence's check of the positions.
 */
export interface LaneOptions {
  /** A commit starts when this many rows are pending. */
  readonly batchSize: number
  /** Or when the oldest pending message has waited this long. */
  readonly batchWaitMs: number
  readonly reduction: ReductionOptions
  /** Writes one batch. @throws KpiError */
  readonly commit: (batch: TakenBatch) => Promise<void>
  /** Reads positions of partitions again. @throws KpiError */
  readonly readPositions: (partitions: readonly number[]) => Promise<readonly Position[]>
  /** Continues reading at these positions. */
  readonly reposition: (positions: readonly Position[]) => void
  /**
   * The database has no position of these partitions any more, because it was replaced by an older copy. The lane has
   * given them up.
   */
  readonly unknown: (partitions: readonly number[]) => void
  /** Called after a batch was written. */
  readonly committed: (batch: TakenBatch) => void
  /** Called for a permanent failure. The lane has stopped. */
  readonly fatal: (error: KpiError) => void
  readonly log: Logger
  readonly clock: Clock
  /** See PendingLimitsOptions. */
  readonly maxPendingRows?: number
}

/** A batch that is ready waits for the commit of the previous one, usually for a fraction of a second. */
const overdueAfterMs = 10_000
const retryLimits = { firstMs: 100, capMs: 5000 }

export class Lane {
  readonly #options: LaneOptions
  readonly #state = new LaneStates(() => {
    this.#wake()
    this.#interrupt.abort()
  })
  readonly #intake: Intake
  readonly #clock: Clock
  readonly #backoff: Backoff
  /**
   * The partitions read here, each with the number of its opening; during a reset the batch contains none of them yet.
   */
  readonly #assigned = new Map<number, number>()
  #openings = 0
  #loop: Promise<void> | undefined
  #pendingSinceMs: number | undefined
  #cancelTimer: (() => void) | undefined
  /** Ends the loop's sleep. */
  #wake: () => void = () => undefined
  /** Ends the pause between two attempts. */
  #interrupt = new AbortController()
  #drains: { partitions: readonly number[]; done: () => void }[] = []

  constructor(options: LaneOptions) {
    this.#options = options
    this.#clock = options.clock
    this.#backoff = new Backoff({ ...retryLimits, random: options.clock.random })
    this.#intake = new Intake(options)
  }

  get partitions(): ReadonlyMap<number, PartitionProgress> {
    return this.#intake.batch.partitions
  }

  /** Rows that are not in a commit yet. */
  get pendingRows(): number {
    return this.#intake.batch.rowCount
  }

  /** How often records had to wait for the limit of pending rows: there are very many symbols, or windows. */
  get floodWaits(): number {
    return this.#intake.floodWaits
  }

  /** Whether the database does not accept a batch that is ready: nothing is fetched until it does. */
  get isBackedUp(): boolean {
    return this.#state.isFailing || !this.#intake.hasRoom
  }

  /** Whether a batch has been ready for long, and waits for the connection that the previous commit uses. */
  get isOverdue(): boolean {
    if (this.#state.inFlight === undefined || this.#pendingSinceMs === undefined) return false
    return this.#clock.now() - this.#pendingSinceMs >= overdueAfterMs
  }

  /** Whether more records may be fetched. */
  get hasRoom(): boolean {
    const isReading = this.#state.is('waiting') || this.#state.is('committing')
    return isReading && !this.#intake.hasDeferred && this.#intake.hasRoom
  }

  /** The expected positions of partitions without pending records, a commit in flight or a reset in progress. */
  get restingPositions(): ExpectedPosition[] {
    if (this.#state.is('resetting') || this.#state.is('stopped')) return []
    return [...this.#intake.batch.partitions.values()].flatMap((progress) => {
      const { partition, nextOffset, endOffset, hasPending } = progress
      if (hasPending || this.#state.inFlight?.has(partition)) return []
      return [{ partition, nextOffset, isAtEnd: endOffset < 0 ? undefined : nextOffset >= endOffset }]
    })
  }

  /** Discards everything pending, reads the positions again and continues there. */
  restart(): void {
    if (this.#assigned.size > 0) this.#reset()
  }

  start(): void {
    this.#loop ??= this.#run().catch((error: unknown) => {
      // An error here is a bug: it must end the process, not only reject this promise.
      queueMicrotask(() => {
        throw error
      })
    })
  }

  /** Reads a partition from its position on. A partition whose closing has not finished yet starts over. */
  open(position: Position): void {
    const isHere = this.#assigned.has(position.partition)
    this.#intake.forgetDeferred([position.partition])
    this.#assigned.set(position.partition, ++this.#openings)
    if (isHere) this.#reset()
    else this.#intake.batch.open(position)
  }

  /** @throws KpiError `KPI_KAFKA_CORRUPT`: the lane must then be stopped, not drained. */
  take(fetched: FetchedRecords): void {
    if (this.#state.is('resetting')) return
    this.#intake.add(fetched)
    if (this.#intake.batch.isEmpty) return
    this.#pendingSinceMs ??= this.#clock.now()
    if (this.#intake.isFull) this.#wake()
    else if (this.#state.is('waiting')) this.#setTimer()
  }

  /**
   * Writes what is pending for these partitions now, and gives them up; nothing more may be fetched for them. Records
   * that could not be written within the deadline are discarded: the next reader starts at the position in the
   * database.
   */
  async close(partitions: readonly number[], deadlineMs: number): Promise<void> {
    const own = [...this.#assigned].filter(([partition]) => partitions.includes(partition))
    const names = own.map(([partition]) => partition)
    if (own.length === 0) return
    // Done before the wait, so that nothing is added to what is pending for them.
    this.#intake.forgetDeferred(names)
    const isWritten = !this.#state.is('stopped') && (await this.#drain(names, deadlineMs))
    // Partitions opened again in the meantime are kept.
    const left = own.filter(([partition, opening]) => this.#assigned.get(partition) === opening).map(([name]) => name)
    if (!isWritten) {
      this.drop(left)
      return
    }
    for (const partition of left) {
      this.#assigned.delete(partition)
      this.#intake.batch.close(partition)
    }
  }

  /** Gives partitions up immediately; the lane's other partitions restart at their positions in the database. */
  drop(partitions: readonly number[]): void {
    const own = partitions.filter((partition) => this.#assigned.delete(partition))
    if (own.length > 0) this.#reset()
  }

  /** Ends the loop; pending records are discarded. Idempotent. */
  async stop(): Promise<void> {
    this.#state.stop()
    await this.#loop
  }

  #isDue(): boolean {
    if (this.#pendingSinceMs === undefined) return false
    const waitedMs = this.#clock.now() - this.#pendingSinceMs
    return this.#drains.length > 0 || this.#intake.isFull || waitedMs >= this.#options.batchWaitMs
  }

  async #run(): Promise<void> {
    while (!this.#state.is('stopped')) {
      this.#settleDrains()
      if (this.#state.is('resetting')) await this.#readPositions()
      else if (this.#isDue()) await this.#commitPending()
      else await this.#sleep()
    }
  }

  /** Waits until a commit or a retry may be due. */
  #sleep(): Promise<void> {
    this.#setTimer()
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = () => undefined
        this.#cancelTimer?.()
        this.#cancelTimer = undefined
        resolve()
      }
    })
  }

  #setTimer(): void {
    if (this.#cancelTimer !== undefined || this.#pendingSinceMs === undefined) return
    const leftMs = this.#pendingSinceMs + this.#options.batchWaitMs - this.#clock.now()
    this.#cancelTimer = this.#clock.after(Math.max(0, leftMs), () => {
      this.#cancelTimer = undefined
      this.#wake()
    })
  }

  async #commitPending(): Promise<void> {
    const batch = this.#intake.batch.take()
    this.#pendingSinceMs = undefined
    this.#state.batchTaken(new Set(batch.advances.map(({ partition }) => partition)))
    this.#intake.addDeferred()
    if (!this.#intake.batch.isEmpty) this.#pendingSinceMs = this.#clock.now()
    const outcome = await this.#commit(batch)
    this.#state.commitEnded()
    if (outcome === 'written') this.#options.committed(batch)
    else if (outcome === 'moved') this.#reset()
  }

  /** Retries until the batch is written, a position turns out to have moved, or a reset or stop cancels it. */
  async #commit(batch: TakenBatch): Promise<'written' | 'moved' | 'given up'> {
    const { log } = this.#options
    while (this.#state.inFlight) {
      try {
        await this.#options.commit(batch)
        if (this.#state.is('retrying')) log.info('PostgreSQL answers again')
        this.#backoff.reset()
        return 'written'
      } catch (error) {
        if (!(error instanceof KpiError)) throw error
        if (error.code === 'KPI_POSITION_MOVED') {
          log.info(`${error.message}: reading the positions again`)
          return 'moved'
        }
        if (!error.retryable) {
          this.#giveUp(error)
          return 'given up'
        }
        if (this.#state.is('committing')) log.warn(`${error.message}; fetching is paused, trying again until it works`)
        this.#state.commitFailed()
        if (this.#state.is('retrying')) await this.#pause()
      }
    }
    return 'given up'
  }

  #giveUp(error: KpiError): void {
    this.#state.stop()
    this.#options.fatal(error)
  }

  #reset(): void {
    this.#intake.discard()
    this.#pendingSinceMs = undefined
    this.#state.reset()
  }

  /** Reads the positions after the commit in flight has ended; they show whether it succeeded. */
  async #readPositions(): Promise<void> {
    const reset = this.#state.current
    try {
      const asked = [...this.#assigned.keys()]
      const positions = asked.length > 0 ? await this.#options.readPositions(asked) : []
      // A later reset must read the positions of other partitions.
      if (this.#state.current !== reset) return
      const own = positions.filter(({ partition }) => this.#assigned.has(partition))
      for (const position of own) this.#intake.batch.open(position)
      const found = new Set(positions.map(({ partition }) => partition))
      const unknown = asked.filter((partition) => !found.has(partition) && this.#assigned.delete(partition))
      if (this.#state.isFailing) this.#options.log.info('PostgreSQL answers again')
      this.#state.positionsRead()
      this.#backoff.reset()
      this.#options.reposition(own)
      if (unknown.length > 0) this.#options.unknown(unknown)
    } catch (error) {
      if (!(error instanceof KpiError)) throw error
      if (!error.retryable) return this.#giveUp(error)
      // A later reset, or a stop, has replaced this one.
      if (this.#state.current !== reset) return
      if (!this.#state.isFailing)
        this.#options.log.warn(`${error.message}; fetching is paused, trying again until it works`)
      this.#state.readFailed()
      await this.#pause()
    }
  }

  /** Waits before the next attempt; returns early when the state changes. */
  async #pause(): Promise<void> {
    this.#interrupt = new AbortController()
    await pause(this.#backoff.nextMs(), this.#interrupt.signal, this.#clock)
  }

  /** @returns Whether everything that was pending for them is written. */
  async #drain(partitions: readonly number[], deadlineMs: number): Promise<boolean> {
    const drained = new AbortController()
    const drain = { partitions, done: () => drained.abort() }
    this.#drains.push(drain)
    this.#wake()
    await pause(deadlineMs, drained.signal, this.#clock)
    this.#drains = this.#drains.filter((other) => other !== drain)
    return drained.signal.aborted
  }

  /** Called when no commit is in flight. */
  #settleDrains(): void {
    if (this.#state.is('resetting')) return
    for (const { partitions, done } of this.#drains) {
      if (partitions.every((partition) => this.#intake.batch.partitions.get(partition)?.hasPending !== true)) done()
    }
  }
}
