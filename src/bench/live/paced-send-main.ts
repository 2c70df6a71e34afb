// A process that sends prices on a fixed schedule, even if earlier ones are not yet processed (an open loop).
import { loadConfig } from '../../config/load.ts'
import { messageOf } from '../../errors.ts'
import { SimulateSource } from '../../feed/simulate/simulate-source.ts'
import { KafkaCluster } from '../../kafka/client/cluster.ts'
import { kafkaOptions } from '../../kafka/client/options.ts'
import { Producer } from '../../kafka/produce/producer.ts'
import type { MessageBatch } from '../../kafka/records/message-batch.ts'
import { partitionOf } from '../../kafka/records/message-key.ts'
import { createLogger } from '../../log.ts'
import { pause } from '../../runtime/abort.ts'
import { type Clock, systemClock } from '../../runtime/clock.ts'
import { doJob } from '../job.ts'
import { orderlyMarket } from '../throughput/workload.ts'
import { monotonicMs } from './monotonic.ts'

export interface PacedSendJob {
  readonly env: Record<string, string>
  readonly ratePerSecond: number
  readonly count: number
  readonly symbols: number
  /** The first messages, during warm-up, may be late. */
  readonly skipped: number
}

export interface PacedSendBegun {
  /** When the first message is due, by {@link monotonicMs}. */
  readonly startAtMs: number
}

export interface PacedSendResult {
  /** The number of the message, from 0, by partition and offset. The topic was empty before. */
  readonly numbers: readonly Uint32Array[]
  /** The longest time from when a message was due until it was handed to the producer. */
  readonly latestHandOverMs: number
}

/** How often the sender checks what is due. */
const stepMs = 1
/**
 * If the source is further behind, it would move its schedule. So it is shown an earlier time, and is called again at
 * once.
 */
const furthestBehindMs = 900
/** Time from the announcement to the first message. */
const leadMs = 100
const flushDeadlineMs = 60_000

/** A clock that is never far ahead of the next due message, so that the source does not move its schedule. */
class OpenLoopClock implements Clock {
  readonly #ratePerSecond: number
  readonly #startAtMs: number
  /** The wall-clock time at which the first message is due. */
  readonly #wallStartMs: number
  made = 0

  constructor({ ratePerSecond }: PacedSendJob, { startAtMs }: PacedSendBegun) {
    this.#ratePerSecond = ratePerSecond
    this.#startAtMs = startAtMs
    this.#wallStartMs = Math.ceil(Date.now() + startAtMs - monotonicMs())
  }

  /** When the next message is due, by {@link monotonicMs}. */
  get nextDueMs(): number {
    return this.#startAtMs + (this.made * 1000) / this.#ratePerSecond
  }

  readonly now = monotonicMs
  readonly random = Math.random

  wallMs(): number {
    // The schedule starts when the source first reads the clock.
    if (this.made === 0) return this.#wallStartMs
    const shownMs = Math.min(monotonicMs(), this.nextDueMs + furthestBehindMs)
    return this.#wallStartMs + shownMs - this.#startAtMs
  }

  after(_ms: number, callback: () => void): () => void {
    return systemClock.after(stepMs, callback)
  }
}

async function sendPaced(job: PacedSendJob, begin: (begun: PacedSendBegun) => void): Promise<PacedSendResult> {
  const config = loadConfig({ env: job.env })
  const cluster = new KafkaCluster(kafkaOptions(config, 'market-kpi-bench-sender'))
  const failed = new AbortController()
  const producer = new Producer({
    cluster,
    topic: config.kafkaTopic,
    log: createLogger({ level: 'warn', format: 'pretty', colour: false }),
    onFailure: (error) => failed.abort(new Error(messageOf(error))),
  })
  await producer.start()
  const numbers = Array.from({ length: producer.partitionCount }, () => new Uint32Array(job.count))
  const counts = new Uint32Array(producer.partitionCount)
  const begun = { startAtMs: monotonicMs() + leadMs }
  begin(begun)
  await pause(leadMs)
  const clock = new OpenLoopClock(job, begun)
  const source = new SimulateSource(orderlyMarket(job), clock)
  let latestHandOverMs = 0
  for (;;) {
    const batch = await source.next(failed.signal)
    if (batch === undefined) break
    note(batch, clock.made, numbers, counts)
    const dueMs = clock.nextDueMs
    clock.made += batch.count
    await producer.append(batch, Date.now(), failed.signal)
    if (clock.made > job.skipped) latestHandOverMs = Math.max(latestHandOverMs, monotonicMs() - dueMs)
  }
  const left = await producer.flush(AbortSignal.timeout(flushDeadlineMs))
  producer.stop()
  await cluster.close()
  failed.signal.throwIfAborted()
  if (left > 0) throw new Error(`${left} messages were not acknowledged`)
  return { numbers: numbers.map((all, partition) => all.slice(0, counts[partition])), latestHandOverMs }
}

/**
 * Records which offsets the messages of a batch will get: the messages of one producer keep their order in a
 * partition.
 */
function note(batch: MessageBatch, first: number, numbers: readonly Uint32Array[], counts: Uint32Array): void {
  for (let i = 0; i < batch.count; i++) {
    const partition = partitionOf(batch.key(i), numbers.length)
    const offset = counts[partition] ?? 0
    const ofPartition = numbers[partition]
    if (ofPartition) ofPartition[offset] = first + i
    counts[partition] = offset + 1
  }
}

doJob(sendPaced)
