import { KpiError } from '../errors.ts'
import type { FetchedRecords } from '../kafka/fetch/fetcher.ts'
import type { Logger } from '../log.ts'
import { pause } from '../runtime/abort.ts'
import { Backoff } from '../runtime/backoff.ts'
import type { Clock } from '../runtime/clock.ts'
import type { ExpectedPosition, Position } from '../store/positions/positions.ts'
import { DeferredRecords, splitOffBatch } from './deferred-records.ts'
import type { PartitionProgress } from './partition-progress.ts'
import { PendingBatch, type ReductionOptions, type TakenBatch } from './pending-batch.ts'

/**
 * Some partitions of a worker, whose batches are committed one after the other.
 *
 *   waiting     nothing is due: fewer rows than a batch, and the oldest has not waited long enough;
 *   committing  a batch is on its way to the database, while what is fetched joins the next one. A failure that may
 *               pass is tried again with the same batch; fetching stops meanwhile, since `hasRoom` says no;
 *   resetting   a position is not where this lane believed it to be: another worker has committed (KPI_POSITION_MOVED), or
 *               the database is an older copy of what it was. Everything pending is forgotten, the positions are read
 *               again, and reading goes on from there.
 *
 * At most one transaction is in flight, so at most one for each partition. A batch is either committed whole or
 * forgotten whole; nothing is ever merged from memory that the fence has not passed.
 */
export interface LaneOptions {
  /** A write starts with so many rows pending. */
  readonly batchSize: number
  /** Or when the oldest pending message has waited so long. */
  readonly batchWaitMs: number
  readonly reduction: ReductionOptions
  /** Writes one batch. @throws KpiError */
  readonly commit: (batch: TakenBatch) => Promise<void>
  /** Reads positions of partitions again. @throws KpiError */
  readonly readPositions: (partitions: readonly number[]) => Promise<readonly Position[]>
  /** Reading goes on from these positions. */
  readonly reposition: (positions: readonly Position[]) => void
  /** These have no position in the database any more: it is an older copy of what it was. The lane has given them up. */
  readonly unknown: (partitions: readonly number[]) => void
  /** A batch was written. */
  readonly committed: (batch: TakenBatch) => void
  /** Nothing that trying again would help. */
  readonly fatal: (error: KpiError) => void
  readonly log: Logger
  readonly clock: Clock
  /** Rows that may wait while a commit is in flight. @defaultValue 40,000, or four times the batch size; a quarter in a flood */
  readonly maxPendingRows?: number
}

/** A transaction of more letters, or of more of their bytes, would hold its locks for too long. */
const maxLetters = 10_000
const maxLetterBytes = 8 * 1024 * 1024
/** Rows that may wait while a commit is in flight; a worker's memory is bounded by it. */
const roomFactor = 4
const leastRoomRows = 40_000
/** Where nearly each message makes a row of its own, to wait for more gains nothing, and fewer may. */
const floodRoomRows = 10_000
const floodMessagesPerRow = 2
const floodToldEveryMs = 60_000
/** A batch that is ready waits for the one before it: usually for a fraction of a second. */
const overdueAfterMs = 10_000
const retryLimits = { firstMs: 100, capMs: 5000 }

export class Lane {
  readonly #options: LaneOptions
  readonly #batch: PendingBatch
  readonly #deferred = new DeferredRecords()
  readonly #clock: Clock
  readonly #backoff: Backoff
  readonly #stopping = new AbortController()
  readonly #maxRows: number
  /** What is read here, each with the number of its opening; during a reset the batch has none of it yet. */
  readonly #assigned = new Map<number, number>()
  #openings = 0
  #loop: Promise<void> | undefined
  #pendingSinceMs: number | undefined
  #cancelTimer: (() => void) | undefined
  #wake: () => void = () => undefined
  #inFlight = false
  /** Those whose position the batch in flight moves. */
  #moving: ReadonlySet<number> = new Set()
  /** The batch in flight failed, and may yet be taken. */
  #retrying = false
  /** How often everything pending was forgotten, and after which of these the positions were read again. */
  #resets = 0
  #resetsDone = 0
  /** Ends a wait between two tries early. */
  #interrupt = new AbortController()
  #floodWaits = 0
  #floodToldAtMs = Number.NEGATIVE_INFINITY
  #drains: { partitions: readonly number[]; done: () => void }[] = []

  constructor(options: LaneOptions) {
    this.#options = options
    this.#clock = options.clock
    this.#backoff = new Backoff({ ...retryLimits, random: options.clock.random })
    this.#batch = new PendingBatch(options.reduction, options.clock.wallMs)
    this.#maxRows = options.maxPendingRows ?? Math.max(leastRoomRows, roomFactor * options.batchSize)
  }

  get #resetting(): boolean {
    return this.#resets > this.#resetsDone
  }

  get partitions(): ReadonlyMap<number, PartitionProgress> {
    return this.#batch.partitions
  }

  /** Rows that no commit has taken yet. */
  get pendingRows(): number {
    return this.#batch.rowCount
  }

  /** How often records had to wait because as many rows were pending as may be: very many symbols, or windows. */
  get floodWaits(): number {
    return this.#floodWaits
  }

  /** Whether the database does not take what is ready: fetching stands still until it does. */
  get isBackedUp(): boolean {
    return this.#retrying || !this.#hasRoomForMore()
  }

  /** Whether a batch has been ready for long, and waits for the connection that the one before it holds. */
  get isOverdue(): boolean {
    if (!this.#inFlight || this.#pendingSinceMs === undefined) return false
    return this.#clock.now() - this.#pendingSinceMs >= overdueAfterMs
  }

  /** Whether more records may be fetched. */
  get hasRoom(): boolean {
    return !this.#resetting && !this.isBackedUp && this.#deferred.isEmpty && !this.#stopping.signal.aborted
  }

  /** Where the positions of partitions have to be of which nothing is pending, on its way or being read again. */
  get restingPositions(): ExpectedPosition[] {
    if (this.#resetting) return []
    return [...this.#batch.partitions.values()].flatMap((progress) => {
      const { partition, nextOffset, endOffset, hasPending } = progress
      if (hasPending || this.#moving.has(partition)) return []
      return [{ partition, nextOffset, isAtEnd: endOffset < 0 ? undefined : nextOffset >= endOffset }]
    })
  }

  /** Forgets everything pending, reads the positions again and goes on from there. */
  restart(): void {
    if (this.#assigned.size > 0) this.#startReset()
  }

  start(): void {
    this.#loop ??= this.#run().catch((error: unknown) => {
      // Our own mistake: it must end the process, not just this promise.
      queueMicrotask(() => {
        throw error
      })
    })
  }

  /** Reads a partition from its position on. One that is still here, its closing not over yet, starts over. */
  open(position: Position): void {
    const isHere = this.#assigned.has(position.partition)
    this.#deferred.forget([position.partition])
    this.#assigned.set(position.partition, ++this.#openings)
    if (isHere) this.#startReset()
    else this.#batch.open(position)
  }

  /** @throws KpiError `KPI_KAFKA_CORRUPT`: the lane must then be stopped, not drained. */
  take(fetched: FetchedRecords): void {
    if (this.#resetting) return
    if (this.#deferred.isEmpty) this.#reduce(fetched, (rest) => this.#deferred.add(rest))
    else this.#deferred.add(fetched)
    if (this.#batch.isEmpty) return
    this.#pendingSinceMs ??= this.#clock.now()
    if (this.#isFull()) this.#wake()
    else if (!this.#inFlight) this.#setTimer()
  }

  /**
   * Writes what is pending for these partitions now, and gives them up; nothing more may be fetched for them. What could
   * not be written within the deadline is forgotten: whoever reads them next starts where the database says.
   */
  async close(partitions: readonly number[], deadlineMs: number): Promise<void> {
    const own = [...this.#assigned].filter(([partition]) => partitions.includes(partition))
    const names = own.map(([partition]) => partition)
    if (own.length === 0) return
    // Before the wait: what is pending for them may only get less.
    this.#deferred.forget(names)
    const isWritten = !this.#stopping.signal.aborted && (await this.#drain(names, deadlineMs))
    // One that was opened again meanwhile stays.
    const left = own.filter(([partition, opening]) => this.#assigned.get(partition) === opening).map(([name]) => name)
    if (!isWritten) {
      this.drop(left)
      return
    }
    for (const partition of left) {
      this.#assigned.delete(partition)
      this.#batch.close(partition)
    }
  }

  /** Gives partitions up at once; the lane's others start over where the database says. */
  drop(partitions: readonly number[]): void {
    const own = partitions.filter((partition) => this.#assigned.delete(partition))
    if (own.length > 0) this.#startReset()
  }

  /** Ends the loop; what is pending is forgotten. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#wake()
    await this.#loop
  }

  /** Reduces records, as far as there is room; an answer may hold a row for each of its messages. */
  #reduce(fetched: FetchedRecords, defer: (rest: FetchedRecords) => void): void {
    for (let rest = fetched; ; ) {
      const split = splitOffBatch(rest)
      this.#batch.reduce(split?.first ?? rest)
      if (split === undefined) return
      rest = split.rest
      if (this.#hasRoomForMore()) continue
      this.#tellFlood()
      defer(rest)
      return
    }
  }

  /** What waited for a batch to be taken. */
  #reduceDeferred(): void {
    while (this.#hasRoomForMore()) {
      const fetched = this.#deferred.shift()
      if (fetched === undefined) return
      this.#reduce(fetched, (rest) => this.#deferred.putBack(rest))
    }
  }

  #roomRows(rowCount: number): number {
    const flood = Math.max(this.#options.batchSize, floodRoomRows)
    const isFlood = rowCount >= flood && this.#batch.mergedCount < floodMessagesPerRow * rowCount
    return isFlood ? Math.min(flood, this.#maxRows) : this.#maxRows
  }

  #tellFlood(): void {
    const { rowCount } = this.#batch
    if (rowCount < this.#roomRows(rowCount)) return
    this.#floodWaits += 1
    const nowMs = this.#clock.now()
    if (nowMs - this.#floodToldAtMs < floodToldEveryMs) return
    this.#floodToldAtMs = nowMs
    this.#options.log.warn(
      `very many symbols or windows at once: ${rowCount} rows wait for the database, and more are read as it takes them`,
    )
  }

  #hasRoomForMore(): boolean {
    const { rowCount, letterCount, letterBytes } = this.#batch
    return rowCount < this.#roomRows(rowCount) && letterCount < 2 * maxLetters && letterBytes < 2 * maxLetterBytes
  }

  #isFull(): boolean {
    const { rowCount, letterCount, letterBytes } = this.#batch
    return rowCount >= this.#options.batchSize || letterCount >= maxLetters || letterBytes >= maxLetterBytes
  }

  #isDue(): boolean {
    if (this.#pendingSinceMs === undefined) return false
    const waitedMs = this.#clock.now() - this.#pendingSinceMs
    return this.#drains.length > 0 || this.#isFull() || waitedMs >= this.#options.batchWaitMs
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      this.#settleDrains()
      if (this.#resetting) await this.#startOver()
      else if (this.#isDue()) await this.#commitPending()
      else await this.#sleep()
    }
  }

  /** Until something may be due. */
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
    const batch = this.#batch.take()
    this.#pendingSinceMs = undefined
    this.#inFlight = true
    this.#moving = new Set(batch.advances.map(({ partition }) => partition))
    this.#reduceDeferred()
    if (!this.#batch.isEmpty) this.#pendingSinceMs = this.#clock.now()
    const outcome = await this.#commit(batch)
    this.#inFlight = false
    this.#moving = new Set()
    this.#retrying = false
    if (outcome === 'written') this.#options.committed(batch)
    else if (outcome === 'moved') this.#startReset()
  }

  /** Tries until the batch is written, its position turns out to have moved, or nobody wants it any more. */
  async #commit(batch: TakenBatch): Promise<'written' | 'moved' | 'given up'> {
    const { log } = this.#options
    while (!this.#stopping.signal.aborted && !this.#resetting) {
      try {
        await this.#options.commit(batch)
        if (this.#retrying) log.info('PostgreSQL takes batches again')
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
        if (!this.#retrying) log.warn(`${error.message}; fetching is paused, trying again until it works`)
        this.#retrying = true
        await this.#pause()
      }
    }
    return 'given up'
  }

  #giveUp(error: KpiError): void {
    this.#stopping.abort()
    this.#options.fatal(error)
  }

  #startReset(): void {
    this.#batch.reset()
    this.#deferred.clear()
    this.#pendingSinceMs = undefined
    this.#resets += 1
    this.#wake()
    this.#interrupt.abort()
  }

  /** Whatever was in flight is over by now, one way or the other: the positions say which. */
  async #startOver(): Promise<void> {
    const turn = this.#resets
    try {
      const asked = [...this.#assigned.keys()]
      const positions = asked.length > 0 ? await this.#options.readPositions(asked) : []
      // Another reset meanwhile has other partitions to ask for.
      if (turn !== this.#resets) return
      const own = positions.filter(({ partition }) => this.#assigned.has(partition))
      for (const position of own) this.#batch.open(position)
      const found = new Set(positions.map(({ partition }) => partition))
      const unknown = asked.filter((partition) => !found.has(partition) && this.#assigned.delete(partition))
      this.#resetsDone = turn
      this.#backoff.reset()
      this.#options.reposition(own)
      if (unknown.length > 0) this.#options.unknown(unknown)
    } catch (error) {
      if (!(error instanceof KpiError)) throw error
      if (!error.retryable) this.#giveUp(error)
      else await this.#pause()
    }
  }

  async #pause(): Promise<void> {
    this.#interrupt = new AbortController()
    const either = AbortSignal.any([this.#stopping.signal, this.#interrupt.signal])
    await pause(this.#backoff.nextMs(), either, this.#clock)
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

  /** Called where no commit is in flight. */
  #settleDrains(): void {
    if (this.#resetting) return
    for (const { partitions, done } of this.#drains) {
      if (partitions.every((partition) => this.#batch.partitions.get(partition)?.hasPending !== true)) done()
    }
  }
}
