import { KpiError, messageOf } from '../errors.ts'
import type { Logger } from '../log.ts'
import { Backoff, pause } from './backoff.ts'
import type { KafkaCluster, TopicMetadata } from './cluster.ts'
import { brokerErrorName, kafkaError } from './errors.ts'
import { type FetchedPartition, type FetchResponse, fetchApiKey, fetchVersions, sendFetch } from './fetch-protocol.ts'
import { listOffsets } from './offsets.ts'
import { type AbortedTransaction, nextOffsetOf, type RecordRange } from './record-batch.ts'

/**
 * Reads partitions of one topic, from their leaders, with one fetch in flight to each leader.
 *
 * A pump runs for each leader that has partitions of ours: it asks, and when the answer is here asks again *before*
 * handing it over, so that the broker works while we do. A partition is
 *   fetching   asked for at its offset, by the pump of its leader;
 *   unwanted   left out of requests while the handler says so (back-pressure, revocation);
 *   leaderless waiting for metadata, which is read again at most every so often;
 *   stopped    out of the log's range: reported once, and removed until somebody seeks it again.
 * An answer for a partition that was removed or sought meanwhile is thrown away: its offset no longer matches.
 */
export interface FetchedRecords {
  readonly partition: number
  readonly range: RecordRange
  /** The offset asked for, and the one after the last whole batch of the answer. */
  readonly from: number
  readonly next: number
  readonly aborted: readonly AbortedTransaction[]
  /** The end of what can be read now; lag is this minus the position. */
  readonly endOffset: number
  readonly logStartOffset: number
}

export interface FetchHandler {
  /** Whether this partition may be asked for now. */
  wants(partition: number): boolean
  /** Takes the records in; must be done with the buffer's order, not its life, when it returns. */
  records(fetched: FetchedRecords): void
  /** The log no longer holds, or does not yet hold, the offset asked for. The partition is not read any more. */
  outOfRange(partition: number, offset: number, log: { startOffset: number; endOffset: number }): void
  /** Nothing can be read any more; the worker has to end. */
  fatal(error: KpiError): void
}

export interface FetcherOptions {
  readonly cluster: KafkaCluster
  readonly topic: string
  readonly handler: FetchHandler
  readonly log: Logger
  /** How long a broker may wait for more than nothing. */
  readonly maxWaitMs: number
  /** @defaultValue 8 MiB */
  readonly maxBytes?: number
  /** @defaultValue 2 MiB */
  readonly partitionMaxBytes?: number
}

const mebibyte = 1024 * 1024
/** Enough for a broker to answer at once under load, and to wait for more when there is little. */
const minBytes = 64 * 1024
const metadataBackoff = { firstMs: 100, capMs: 2000 }
const unwantedPauseMs = 20

interface Reading {
  readonly partition: number
  offset: number
}

interface InFlight {
  readonly asked: readonly { reading: Reading; offset: number }[]
  readonly response: Promise<FetchResponse>
}

const noLeader = -1

export class Fetcher {
  readonly #options: FetcherOptions
  readonly #readings = new Map<number, Reading>()
  readonly #pumps = new Map<number, Promise<void>>()
  readonly #abort = new AbortController()
  readonly #metadataBackoff = new Backoff(metadataBackoff)
  #metadata: TopicMetadata
  #refreshing: Promise<void> | undefined
  #complaining = false

  constructor(options: FetcherOptions, metadata: TopicMetadata) {
    this.#options = options
    this.#metadata = metadata
  }

  get metadata(): TopicMetadata {
    return this.#metadata
  }

  /** Reads this partition from this offset on. */
  seek(partition: number, offset: number): void {
    this.#readings.set(partition, { partition, offset })
    this.#startPumps()
  }

  remove(partition: number): void {
    this.#readings.delete(partition)
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    this.#readings.clear()
    await Promise.all(this.#pumps.values())
  }

  #startPumps(): void {
    if (this.#abort.signal.aborted) return
    for (const reading of this.#readings.values()) {
      const leaderId = this.#leaderOf(reading.partition)
      if (this.#pumps.has(leaderId)) continue
      const pump = leaderId === noLeader ? this.#findLeaders() : this.#pump(leaderId)
      this.#pumps.set(
        leaderId,
        pump
          .catch((error: unknown) => this.#options.handler.fatal(kafkaError(error, `broker ${leaderId}`)))
          .finally(() => {
            this.#pumps.delete(leaderId)
            this.#startPumps()
          }),
      )
    }
  }

  #leaderOf(partition: number): number {
    return this.#metadata.partitions[partition]?.leaderId ?? noLeader
  }

  #readingsOf(leaderId: number): Reading[] {
    return [...this.#readings.values()].filter((reading) => this.#leaderOf(reading.partition) === leaderId)
  }

  async #findLeaders(): Promise<void> {
    while (this.#readingsOf(noLeader).length > 0) await this.#refreshMetadata('a partition has no leader')
  }

  async #pump(leaderId: number): Promise<void> {
    let turn = 0
    let inFlight: InFlight | undefined
    while (this.#readingsOf(leaderId).length > 0) {
      inFlight ??= this.#ask(leaderId, turn++)
      if (!inFlight) {
        await pause(unwantedPauseMs, this.#abort.signal)
        continue
      }
      const current = inFlight
      inFlight = undefined
      try {
        const response = await current.response
        if (this.#abort.signal.aborted) return
        const fetched = this.#take(current, response)
        inFlight = this.#ask(leaderId, turn++)
        for (const records of fetched) this.#options.handler.records(records)
        await this.#settleErrors(response, current)
      } catch (error) {
        if (error instanceof KpiError && error.code === 'KPI_KAFKA_CORRUPT') throw error
        if (this.#abort.signal.aborted) return
        await this.#refreshMetadata(messageOf(kafkaError(error, `broker ${leaderId}`)))
      }
    }
  }

  /** Sends one fetch; undefined when no partition of this leader is wanted now. */
  #ask(leaderId: number, turn: number): InFlight | undefined {
    const wanted = this.#readingsOf(leaderId).filter((r) => this.#options.handler.wants(r.partition))
    if (wanted.length === 0 || this.#abort.signal.aborted) return undefined
    // An answer is filled in the order asked: everybody gets to be first.
    const first = turn % wanted.length
    const asked = [...wanted.slice(first), ...wanted.slice(0, first)].map((reading) => ({
      reading,
      offset: reading.offset,
    }))
    const response = this.#send(leaderId, asked)
    response.catch(() => undefined) // told to whoever awaits it
    return { asked, response }
  }

  async #send(leaderId: number, asked: InFlight['asked']): Promise<FetchResponse> {
    const { cluster, maxWaitMs, maxBytes = 8 * mebibyte, partitionMaxBytes = 2 * mebibyte } = this.#options
    const version = await cluster.apiVersion(leaderId, fetchApiKey, fetchVersions)
    if (version === undefined) {
      throw new KpiError('KPI_KAFKA_REQUEST', `broker ${leaderId} is too old: market-kpi needs Kafka 3.1 or newer`)
    }
    const connection = await cluster.connection(leaderId, 'fetch')
    return sendFetch(connection, version, {
      topicId: this.#metadata.topicId,
      maxWaitMs,
      minBytes,
      maxBytes,
      partitionMaxBytes,
      partitions: asked.map(({ reading, offset }) => ({
        partition: reading.partition,
        offset,
        leaderEpoch: this.#metadata.partitions[reading.partition]?.leaderEpoch ?? -1,
      })),
    })
  }

  /** Moves the offsets on, and returns what came, in the order it is to be worked on. */
  #take(current: InFlight, response: FetchResponse): FetchedRecords[] {
    const fetched: FetchedRecords[] = []
    for (const found of response.partitions) {
      const asked = this.#stillWanted(current, found)
      if (!asked || found.errorCode !== 0) continue
      const next = nextOffsetOf(found.records, asked.offset)
      asked.reading.offset = next
      fetched.push({
        partition: found.partition,
        range: found.records,
        from: asked.offset,
        next,
        aborted: found.aborted,
        endOffset: found.lastStableOffset >= 0 ? found.lastStableOffset : found.highWatermark,
        logStartOffset: found.logStartOffset,
      })
    }
    return fetched
  }

  #stillWanted(current: InFlight, found: FetchedPartition): InFlight['asked'][number] | undefined {
    const asked = current.asked.find(({ reading }) => reading.partition === found.partition)
    if (!asked || this.#readings.get(found.partition) !== asked.reading) return undefined
    return asked.reading.offset === asked.offset ? asked : undefined
  }

  async #settleErrors(response: FetchResponse, current: InFlight): Promise<void> {
    if (response.errorCode !== 0) return this.#refreshMetadata(brokerErrorName(response.errorCode))
    let stale: string | undefined
    for (const found of response.partitions) {
      if (found.errorCode === 0 || !this.#stillWanted(current, found)) continue
      const name = brokerErrorName(found.errorCode)
      if (name === 'OFFSET_OUT_OF_RANGE') await this.#reportOutOfRange(found.partition)
      else stale = `partition ${found.partition}: ${name}`
    }
    if (stale === undefined) this.#settled()
    else await this.#refreshMetadata(stale)
  }

  async #reportOutOfRange(partition: number): Promise<void> {
    const { cluster, handler } = this.#options
    const reading = this.#readings.get(partition)
    if (!reading) return
    const [start, end] = await Promise.all([
      listOffsets(cluster, this.#metadata, 'earliest', [partition]),
      listOffsets(cluster, this.#metadata, 'latest', [partition]),
    ])
    const log = { startOffset: start.get(partition) ?? 0, endOffset: end.get(partition) ?? 0 }
    // Between the refusal and this look the log may have come to hold the offset again.
    if (reading.offset >= log.startOffset && reading.offset <= log.endOffset) return
    this.#readings.delete(partition)
    handler.outOfRange(partition, reading.offset, log)
  }

  #settled(): void {
    if (this.#complaining) this.#options.log.info('Kafka answers again')
    this.#complaining = false
    this.#metadataBackoff.reset()
  }

  /** One look at a time, however many ask; each after a wait that grows while nothing gets better. */
  #refreshMetadata(why: string): Promise<void> {
    if (!this.#complaining && this.#metadataBackoff.attempt > 1) {
      this.#options.log.warn(`reading stands still: ${why}; trying again until it works`)
      this.#complaining = true
    }
    this.#refreshing ??= this.#lookAgain().finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }

  async #lookAgain(): Promise<void> {
    await pause(this.#metadataBackoff.nextMs(), this.#abort.signal)
    if (this.#abort.signal.aborted) return
    try {
      const found = await this.#options.cluster.topicMetadata(this.#options.topic)
      if (found.topicId !== this.#metadata.topicId) {
        this.#options.handler.fatal(topicRecreated(this.#metadata, found))
        this.#readings.clear()
        return
      }
      this.#metadata = found
    } catch (error) {
      if (error instanceof KpiError && !error.retryable) throw error
    }
  }
}

function topicRecreated(before: TopicMetadata, now: TopicMetadata): KpiError {
  return new KpiError(
    'KPI_TOPIC_RECREATED',
    `the topic '${now.topic}' was deleted and created anew: its id was ${before.topicId}, now it is ${now.topicId}; ` +
      `'market-kpi init --accept-new-topic' keeps the old rows apart and starts with the new topic`,
  )
}
