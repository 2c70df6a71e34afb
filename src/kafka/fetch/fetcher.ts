import { KpiError } from '../../errors.ts'
import type { ReadEpoch } from '../../kpi/leader-epochs.ts'
import { pause, unlessAborted } from '../../runtime/abort.ts'
import type { KafkaCluster, TopicMetadata } from '../client/cluster.ts'
import { brokerErrorName, kafkaError } from '../client/errors.ts'
import { FetchBuffers, type FetchBuffersOptions } from './fetch-buffers.ts'
import type { FetchHandler, FetchLog } from './fetch-handler.ts'
import { type FetchResponse, fetchApiKey, fetchVersions, sendFetch } from './fetch-protocol.ts'
import {
  type Asked,
  doubtful,
  type FetchedRecords,
  isDue,
  type LogRange,
  listOf,
  PartitionFetch,
  takeRecords,
} from './partition-fetch.ts'
import { rangeBeyond } from './range-check.ts'
import { TopicLeaders } from './topic-leaders.ts'

export type { FetchedRecords, LogRange } from './partition-fetch.ts'

/**
 * Reads partitions of one topic from their leaders, with one fetch in flight per leader.
 *
 * A pump runs for each leader of an assigned partition. Under high throughput it sends the next request *before* it
 * delivers an answer, so that the broker and this process work in parallel. Under low throughput it waits briefly, so
 * that records collect at the broker, since an answer costs the same with one record as with a hundred. A partition is
 * - fetching: requested at its offset by the pump of its leader;
 * - unwanted: not requested while the handler does not want it (back-pressure, revocation);
 * - failing: not requested for a growing delay after an error of its own or of its leader, while the metadata is
 *   refreshed. It does not delay the other partitions;
 * - checked: its leader reports that the offset is out of range. When the offsets of the log confirm this, it is
 *   reported once and removed; it is reported and removed immediately when the leader's epochs show that the log
 *   differs from the one that was read (KIP-320).
 *
 * An answer for a partition that was removed or sought in the meantime is discarded: its offset no longer matches.
 * After {@link FetchHandler.fatal} and after {@link Fetcher.stop} the handler is not called any more.
 */
export interface FetcherOptions {
  readonly cluster: KafkaCluster
  readonly topic: string
  readonly handler: FetchHandler
  readonly log: FetchLog
  /** How long a broker may hold a request when it has no new records. */
  readonly maxWaitMs: number
  /**
   * Under low throughput, the minimum interval between requests to one leader. It bounds both the added latency and the
   * work of an almost idle reader.
   *
   * @defaultValue 10
   */
  readonly gatherMs?: number
  /** @defaultValue 8 MiB */
  readonly maxBytes?: number
  /** @defaultValue 2 MiB */
  readonly partitionMaxBytes?: number
  /** The buffers for the answers of one leader. */
  readonly memory?: FetchBuffersOptions
}

const mebibyte = 1024 * 1024
/** An answer of at least this size indicates that more records are waiting. */
const flowingBytes = 64 * 1024
const unwantedPauseMs = 20
interface InFlight {
  readonly asked: readonly Asked[]
  readonly askedAtMs: number
  readonly response: Promise<FetchResponse>
}

interface Taken {
  readonly partitionFetch: PartitionFetch
  readonly records: FetchedRecords
}

const noLeader = -1

export class Fetcher {
  readonly #options: FetcherOptions
  readonly #partitionFetches = new Map<number, PartitionFetch>()
  readonly #pumps = new Map<number, Promise<void>>()
  readonly #abort = new AbortController()
  readonly #leaders: TopicLeaders

  constructor(options: FetcherOptions, metadata: TopicMetadata) {
    this.#options = options
    const { cluster, topic } = options
    const { signal } = this.#abort
    const refreshed = () => this.#startPumps()
    const fatal = (error: unknown) => this.#fail(error)
    this.#leaders = new TopicLeaders({ cluster, topic, signal, refreshed, fatal }, metadata)
  }

  get metadata(): TopicMetadata {
    return this.#leaders.metadata
  }

  /**
   * Starts reading the partition at this offset.
   *
   * @param epoch - The epoch of the last record batch before the offset; the log must still contain that batch.
   */
  seek(partition: number, offset: number, epoch?: ReadEpoch): void {
    this.#partitionFetches.set(partition, new PartitionFetch(partition, offset, epoch))
    this.#startPumps()
  }

  remove(partition: number): void {
    this.#partitionFetches.delete(partition)
  }

  /** Does not wait for brokers. Idempotent. */
  async stop(): Promise<void> {
    this.#abort.abort()
    this.#partitionFetches.clear()
    await Promise.all(this.#pumps.values())
  }

  #startPumps(): void {
    if (this.#abort.signal.aborted) return
    for (const { partition } of this.#partitionFetches.values()) {
      const leaderId = this.#leaders.leaderOf(partition)
      if (this.#pumps.has(leaderId)) continue
      const pump = this.#pump(leaderId)
        .catch((error: unknown) => this.#fail(error))
        .finally(() => {
          this.#pumps.delete(leaderId)
          this.#startPumps()
        })
      this.#pumps.set(leaderId, pump)
    }
  }

  #partitionFetchesOf(leaderId: number): PartitionFetch[] {
    return [...this.#partitionFetches.values()].filter(
      ({ partition }) => this.#leaders.leaderOf(partition) === leaderId,
    )
  }

  async #pump(leaderId: number): Promise<void> {
    await undefined // lets partitions that are sought in a row share the first request
    const memory = new FetchBuffers(this.#options.memory)
    let inFlight: InFlight | undefined
    for (let turn = 0; ; turn++) {
      const partitionFetches = this.#partitionFetchesOf(leaderId)
      if (partitionFetches.length === 0 || this.#abort.signal.aborted) return
      inFlight ??= this.#ask(leaderId, turn, memory)
      if (!inFlight) {
        await pause(this.#shortestWaitMs(partitionFetches), this.#abort.signal)
        continue
      }
      const current = inFlight
      inFlight = undefined
      const response = await this.#answer(leaderId, current)
      if (!response || this.#abort.signal.aborted) continue
      const taken = this.#take(current, response)
      const isFlowing = bytesOf(taken) >= flowingBytes && response.throttleTimeMs === 0
      if (isFlowing) inFlight = this.#ask(leaderId, turn + 1, memory)
      await this.#deliver(taken)
      if (!isFlowing) await this.#gather(current, response)
    }
  }

  /** Sends one fetch; returns undefined when no partition of this leader may be fetched now. */
  #ask(leaderId: number, turn: number, memory: FetchBuffers): InFlight | undefined {
    const partitionFetches = this.#partitionFetchesOf(leaderId)
    if (leaderId === noLeader) this.#failed(partitionFetches.filter(isDue), 'no leader at the moment')
    const wanted = partitionFetches.filter((partitionFetch) => this.#waitMs(partitionFetch) === 0)
    if (wanted.length === 0 || this.#abort.signal.aborted) return undefined
    // A broker fills an answer in the order of the request, so each partition gets its turn to be first.
    const first = turn % wanted.length
    const asked = [...wanted.slice(first), ...wanted.slice(0, first)].map((partitionFetch) => ({
      partitionFetch,
      offset: partitionFetch.offset,
    }))
    const response = this.#send({ leaderId, asked, maxWaitMs: this.#shortestWaitMs(partitionFetches), memory })
    response.catch(() => undefined) // the failure is handled where the answer is awaited
    return { asked, askedAtMs: performance.now(), response }
  }

  /** Milliseconds until the partition may be fetched. */
  #waitMs(partitionFetch: PartitionFetch): number {
    if (!isDue(partitionFetch)) return partitionFetch.notBeforeMs - performance.now()
    return this.#options.handler.wants(partitionFetch.partition) ? 0 : unwantedPauseMs
  }

  /**
   * Milliseconds until another of these partitions may be fetched: the upper bound for a request's wait and for a
   * pause.
   */
  #shortestWaitMs(partitionFetches: readonly PartitionFetch[]): number {
    const waits = partitionFetches.map((partitionFetch) => this.#waitMs(partitionFetch)).filter((waitMs) => waitMs > 0)
    return Math.ceil(Math.min(this.#options.maxWaitMs, ...waits))
  }

  async #send(request: {
    leaderId: number
    asked: readonly Asked[]
    maxWaitMs: number
    memory: FetchBuffers
  }): Promise<FetchResponse> {
    const { leaderId, asked, maxWaitMs, memory } = request
    const { cluster, maxBytes = 8 * mebibyte, partitionMaxBytes = 2 * mebibyte } = this.#options
    const { topicId, partitions } = this.metadata
    const version = await cluster.requiredVersion(leaderId, fetchApiKey, fetchVersions)
    const connection = await cluster.connection(leaderId, 'fetch')
    const wanted = {
      topicId,
      maxWaitMs,
      minBytes: 1,
      maxBytes,
      partitionMaxBytes,
      partitions: asked.map(({ partitionFetch: { partition, epoch }, offset }) => ({
        partition,
        offset,
        leaderEpoch: partitions[partition]?.leaderEpoch ?? -1,
        lastFetchedEpoch: epoch.leaderEpoch,
      })),
    }
    return sendFetch(connection, version, wanted, memory)
  }

  /** Returns undefined after a transient failure, which is recorded; throws any other failure. */
  async #answer(leaderId: number, inFlight: InFlight): Promise<FetchResponse | undefined> {
    try {
      return await unlessAborted(inFlight.response, this.#abort.signal)
    } catch (error) {
      const failure = kafkaError(error, `broker ${leaderId}`)
      if (!failure.retryable) throw failure
      this.#failed(partitionFetchesOf(inFlight), failure.message)
      return undefined
    }
  }

  /** Advances the offsets, and returns the records in the order in which they are to be processed. */
  #take(current: InFlight, response: FetchResponse): Taken[] {
    const taken: Taken[] = []
    const refused = new Map<string, PartitionFetch[]>()
    if (response.errorCode !== 0) refused.set(brokerErrorName(response.errorCode), partitionFetchesOf(current))
    for (const found of response.partitions) {
      const asked = this.#stillWanted(current, found.partition)
      if (!asked) continue
      const records = takeRecords(asked, found)
      if (records === doubtful) void this.#checkRange(asked.partitionFetch)
      else if (typeof records === 'object' && 'range' in records)
        taken.push({ partitionFetch: asked.partitionFetch, records })
      else if (typeof records === 'object') this.#giveUp(asked.partitionFetch, records)
      else refused.set(records, [...(refused.get(records) ?? []), asked.partitionFetch])
    }
    for (const [why, partitionFetches] of refused) this.#failed(partitionFetches, why)
    this.#settled(taken)
    return taken
  }

  #stillWanted(current: InFlight, partition: number): Asked | undefined {
    const asked = current.asked.find(({ partitionFetch }) => partitionFetch.partition === partition)
    if (!asked || this.#partitionFetches.get(partition) !== asked.partitionFetch) return undefined
    return asked.partitionFetch.offset === asked.offset ? asked : undefined
  }

  #deliver(taken: readonly Taken[]): void | Promise<void> {
    const current = taken.filter(
      ({ partitionFetch }) => this.#partitionFetches.get(partitionFetch.partition) === partitionFetch,
    )
    return this.#options.handler.records(current.map(({ records }) => records))
  }

  async #gather({ askedAtMs }: InFlight, { throttleTimeMs }: FetchResponse): Promise<void> {
    const { gatherMs = 10 } = this.#options
    const restMs = Math.max(throttleTimeMs, askedAtMs + gatherMs - performance.now())
    if (restMs > 0) await pause(restMs, this.#abort.signal)
  }

  /**
   * The leader refused the offset, or sent records that do not match it: checks this with the log's offsets and epochs.
   */
  async #checkRange(partitionFetch: PartitionFetch): Promise<void> {
    const { partition } = partitionFetch
    partitionFetch.notBeforeMs = Number.POSITIVE_INFINITY
    try {
      const log = await rangeBeyond(this.#options.cluster, this.metadata, partitionFetch)
      if (this.#partitionFetches.get(partition) !== partitionFetch) return
      if (log) this.#giveUp(partitionFetch, log)
      else this.#failed([partitionFetch], 'OFFSET_OUT_OF_RANGE')
    } catch (error) {
      if (error instanceof KpiError && error.retryable) this.#failed([partitionFetch], error.message)
      else this.#fail(error)
    }
  }

  #giveUp({ partition, offset }: PartitionFetch, log: LogRange): void {
    this.#partitionFetches.delete(partition)
    this.#options.handler.outOfRange(partition, offset, log)
  }

  #failed(partitionFetches: readonly PartitionFetch[], why: string): void {
    const current = partitionFetches.filter(
      (partitionFetch) => this.#partitionFetches.get(partitionFetch.partition) === partitionFetch,
    )
    if (current.length === 0) return
    const told = current.filter((partitionFetch) => partitionFetch.failed())
    // Partitions that failed together are retried and logged together.
    const notBeforeMs = Math.max(...current.map((partitionFetch) => partitionFetch.notBeforeMs))
    for (const partitionFetch of current) partitionFetch.notBeforeMs = notBeforeMs
    if (told.length > 0) {
      const deeper = this.#leaders.failure ?? why
      this.#options.log.warn(`${listOf(told)} not read for now: ${deeper}; trying again until it works`)
    }
    this.#leaders.refresh()
  }

  #settled(taken: readonly Taken[]): void {
    const told = taken.map(({ partitionFetch }) => partitionFetch).filter((partitionFetch) => partitionFetch.settled())
    if (told.length > 0) this.#options.log.info(`${listOf(told)} read again`)
  }

  /** Ends all reading. An error that is not a KpiError is a bug, and ends the process. */
  #fail(error: unknown): void {
    const isOver = this.#abort.signal.aborted
    this.#abort.abort()
    this.#partitionFetches.clear()
    if (!(error instanceof KpiError)) throw error
    if (!isOver) this.#options.handler.fatal(error)
  }
}

function partitionFetchesOf({ asked }: InFlight): PartitionFetch[] {
  return asked.map(({ partitionFetch }) => partitionFetch)
}

function bytesOf(taken: readonly Taken[]): number {
  return taken.reduce((sum, { records: { range } }) => sum + range.end - range.start, 0)
}
