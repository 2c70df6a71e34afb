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
 * Reads partitions of one topic, from their leaders, with one fetch in flight to each leader.
 *
 * A pump runs for each leader that has partitions of ours. While much comes it asks for more *before* it hands over an
 * answer, so that the broker works while we do; while little comes it lets records gather at the broker for a moment,
 * since an answer costs the same with one record and with a hundred. A partition is
 *   fetching   asked for at its offset, by the pump of its leader;
 *   unwanted   left out of requests while the handler says so (back-pressure, revocation);
 *   failing    left out for a wait that grows, after an error of its own or of its leader, while the metadata is read
 *              again; the others are not held up by it;
 *   checked    out of the log's range, as its leader says: reported once and removed when the log's ends agree, and at
 *              once when its leader's epochs show that the log is not the one that was read (KIP-320).
 * An answer for a partition that was removed or sought meanwhile is thrown away: its offset no longer matches.
 * After {@link FetchHandler.fatal} and after {@link Fetcher.stop} the handler is not called any more.
 */
export interface FetcherOptions {
  readonly cluster: KafkaCluster
  readonly topic: string
  readonly handler: FetchHandler
  readonly log: FetchLog
  /** How long a broker may hold a request for which there is nothing. */
  readonly maxWaitMs: number
  /**
   * While little comes, requests to a leader begin at least so far apart: what it adds to the latency at most, and what
   * bounds the work of an almost idle reader.
   * @defaultValue 10
   */
  readonly gatherMs?: number
  /** @defaultValue 8 MiB */
  readonly maxBytes?: number
  /** @defaultValue 2 MiB */
  readonly partitionMaxBytes?: number
  /** Where answers of one leader are gathered. */
  readonly memory?: FetchBuffersOptions
}

const mebibyte = 1024 * 1024
/** An answer with so much says that more is waiting. */
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
   * Reads this partition from this offset on.
   *
   * @param epoch - Of the last record batch before the offset: the log has to hold it still.
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
    await undefined // so that partitions sought one after the other share the first request
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

  /** Sends one fetch; undefined when no partition of this leader may be asked for now. */
  #ask(leaderId: number, turn: number, memory: FetchBuffers): InFlight | undefined {
    const partitionFetches = this.#partitionFetchesOf(leaderId)
    if (leaderId === noLeader) this.#failed(partitionFetches.filter(isDue), 'no leader at the moment')
    const wanted = partitionFetches.filter((partitionFetch) => this.#waitMs(partitionFetch) === 0)
    if (wanted.length === 0 || this.#abort.signal.aborted) return undefined
    // An answer is filled in the order asked: everybody gets to be first.
    const first = turn % wanted.length
    const asked = [...wanted.slice(first), ...wanted.slice(0, first)].map((partitionFetch) => ({
      partitionFetch,
      offset: partitionFetch.offset,
    }))
    const response = this.#send({ leaderId, asked, maxWaitMs: this.#shortestWaitMs(partitionFetches), memory })
    response.catch(() => undefined) // told to whoever awaits it
    return { asked, askedAtMs: performance.now(), response }
  }

  /** Until this partition may be asked for. */
  #waitMs(partitionFetch: PartitionFetch): number {
    if (!isDue(partitionFetch)) return partitionFetch.notBeforeMs - performance.now()
    return this.#options.handler.wants(partitionFetch.partition) ? 0 : unwantedPauseMs
  }

  /** Until one more of these may be asked for: no request is held longer, and no pause lasts longer. */
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

  /** Undefined when there is none: a failure that may pass is noted, another one is thrown. */
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

  /** Moves the offsets on, and returns what came, in the order it is to be worked on. */
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

  /** The leader refused the offset, or sent what does not fit it: the ends of the log and its epochs show whether rightly. */
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
    // What failed together is tried, and told, together.
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

  /** Ends all reading. What is no failure of the world is our own mistake, and ends the process. */
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
