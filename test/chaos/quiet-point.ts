import pg from 'pg'
import { messageOf } from '../../src/errors.ts'
import type { KafkaCluster } from '../../src/kafka/client/cluster.ts'
import { committedOffsets } from '../../src/kafka/group/committed-offsets.ts'
import { until } from '../integration/scenes/until.ts'
import { differences } from './check-tables.ts'
import type { Crew } from './crew.ts'
import type { KnownTransaction } from './faults/open-transaction.ts'
import { untilInSync, untilSettled } from './faults/replicas.ts'
import type { Load, Sent } from './load.ts'
import type { OwnStack } from './own-stack.ts'
import { seconds } from './plan.ts'
import { type RecordedGap, readGaps } from './records/gaps.ts'
import type { Losses } from './records/losses.ts'
import { Oracle } from './records/oracle.ts'
import { type LogEntry, readPartitionLog } from './records/partition-log.ts'
import { readBack } from './records/read-back.ts'
import { VitalsBook } from './vitals-book.ts'

export interface QuietPointOptions {
  readonly cluster: KafkaCluster
  readonly topic: string
  readonly group: string
  readonly seed: number
  readonly ownerUrl: () => string
  readonly crew: Crew
  readonly load: Load
  readonly stack: OwnStack
  readonly losses: Losses
  readonly known: KnownTransaction[]
  readonly say: (line: string) => void
  readonly failed: (why: string) => void
  /** Aborted by the first failure: what it broke is not waited for. */
  readonly signal: AbortSignal
}

/** From the end of the last fault: a query may take 90 s, and a dead member stays in the group for up to 75. */
const recoveryLimitMs = 150_000
const readyLimitMs = 30_000

/** Lets the pipeline come to rest, with nothing wrong any more, and compares everything. */
export class QuietPoint {
  readonly #options: QuietPointOptions
  readonly #oracle = new Oracle()
  readonly #vitals = new VitalsBook()
  #longestRecoveryMs = 0
  #count = 0
  /** Gaps that were compared. */
  #gaps: readonly RecordedGap[] = []

  constructor(options: QuietPointOptions) {
    this.#options = options
  }

  get longestRecoveryMs(): number {
    return this.#longestRecoveryMs
  }

  get vitalsText(): string {
    return this.#vitals.text
  }

  /** Up to where a partition's log was compared. */
  checkedEnd(partition: number): number {
    return this.#oracle.nextOffset(partition)
  }

  /** What was found right so far. */
  get text(): string {
    const sum = (of: 'merged' | 'rejected') =>
      this.#oracle.partitions.reduce((total, counts) => total + (counts?.[of] ?? 0), 0)
    return `${sum('merged')} messages in ${this.#oracle.rowCount} rows, ${sum('rejected')} dead letters, ${this.#oracle.partitions.length} partitions, ${this.#gaps.length} gaps, compared ${this.#count} times`
  }

  async reach(): Promise<void> {
    const { crew, load, say, failed, signal } = this.#options
    const sinceMs = performance.now()
    try {
      const sent = await within(load.pause(), recoveryLimitMs, 'everything acknowledged')
      const acknowledgedMs = performance.now() - sinceMs
      // What an abandoned transaction holds up goes on by itself; a replica that lacks something could lose it later.
      const ends = await untilSettled(this.#options, recoveryLimitMs)
      await untilInSync(this.#options)
      await this.#allCounted(ends)
      if (signal.aborted) return
      const recoveryMs = performance.now() - sinceMs
      this.#longestRecoveryMs = Math.max(this.#longestRecoveryMs, recoveryMs)
      await this.#crewIsReady()
      await this.#compare(sent)
      for (const complaint of this.#vitals.sample(crew)) failed(complaint)
      say(
        `quiet: acknowledged after ${seconds(acknowledgedMs).trim()}, lag 0 after ${seconds(recoveryMs).trim()}; ${this.text}`,
      )
    } catch (error) {
      failed(messageOf(error))
    }
  }

  /** Until the positions account for every message. */
  async #allCounted(ends: readonly number[]): Promise<void> {
    await this.#withClient((client) =>
      until(
        'a lag of 0',
        async () => {
          const { rows } = await client.query<{ partition: number; next: string }>(
            'SELECT partition, next_offset AS next FROM kpi_consumer_offsets',
          )
          const next = new Map(rows.map((row) => [row.partition, Number(row.next)]))
          const behind = ends.map((end, partition) => end - (next.get(partition) ?? 0))
          const states = this.#options.crew.workers.map(({ name, state }) => `${name} ${state}`)
          return { behind: Array.from(behind, (lag) => lag ?? 0), states }
        },
        // One that is ahead was cut off, and is not where it must be either.
        ({ behind }) => this.#options.signal.aborted || behind.every((lag) => lag === 0),
        recoveryLimitMs,
      ),
    )
  }

  async #crewIsReady(): Promise<void> {
    await until(
      'a ready crew',
      () =>
        Promise.all(
          this.#options.crew.workers.map(async ({ name, state, http }) => `${name} ${state} ${await ask(http)}`),
        ),
      (found) => this.#options.signal.aborted || found.every((state) => state.endsWith(' up ready')),
      readyLimitMs,
    )
  }

  async #compare(sent: Sent): Promise<void> {
    const { cluster, topic, group, known } = this.#options
    const gaps = await this.#withClient(readGaps)
    const stretch = {
      seed: this.#options.seed,
      sent,
      transactions: known.splice(0),
      logs: await this.#logs(),
      losses: this.#options.losses.take(),
      gaps: gaps.filter((gap) => !this.#gaps.some((old) => JSON.stringify(old) === JSON.stringify(gap))),
    }
    this.#gaps = gaps
    const letters = readBack(stretch, this.#oracle)
    for (const wrong of await this.#withClient((client) => differences(client, this.#oracle, letters))) {
      this.#options.failed(wrong)
    }
    const committed = await committedOffsets(cluster, await cluster.topicMetadata(topic), group)
    for (const [partition, offset] of committed) {
      const next = this.#oracle.partitions[partition]?.nextOffset ?? 0
      if (offset > next)
        this.#options.failed(`Kafka has offset ${offset} of partition ${partition}, which ends at ${next}`)
    }
    this.#count += 1
  }

  /** What the leaders hold beyond what was compared, by partition. */
  async #logs(): Promise<LogEntry[][]> {
    const { stack, topic } = this.#options
    return (await untilInSync(this.#options)).map(({ partition, leader }) =>
      readPartitionLog(stack.broker(leader).logFolder, topic, partition, this.checkedEnd(partition)),
    )
  }

  async #withClient<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client({ connectionString: this.#options.ownerUrl(), connectionTimeoutMillis: 10_000 })
    client.on('error', () => undefined)
    await client.connect()
    try {
      return await work(client)
    } finally {
      await client.end().catch(() => undefined)
    }
  }
}

/** What its /readyz says; a worker without one has nothing to say against it. */
async function ask(http: string | undefined): Promise<string> {
  if (http === undefined) return 'ready'
  try {
    const response = await fetch(`${http}/readyz`, { signal: AbortSignal.timeout(2000) })
    return response.ok ? 'ready' : await response.text()
  } catch (error) {
    return messageOf(error)
  }
}

async function within<T>(work: Promise<T>, limitMs: number, what: string): Promise<T> {
  const timeout = Promise.withResolvers<never>()
  const timer = setTimeout(() => timeout.reject(new Error(`not ${what} within ${limitMs} ms`)), limitMs)
  try {
    return await Promise.race([work, timeout.promise])
  } finally {
    clearTimeout(timer)
  }
}
