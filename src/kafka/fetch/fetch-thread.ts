import { extname, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { type ErrorCode, KpiError } from '../../errors.ts'
import type { ReadEpoch } from '../../kpi/leader-epochs.ts'
import type { TopicMetadata } from '../client/cluster.ts'
import type { KafkaOptions } from '../client/options.ts'
import type { FetchHandler } from './fetch-handler.ts'
import type { FetchedRecords, FetcherOptions, LogRange } from './fetcher.ts'

/**
 * A fetcher that runs in its own thread, with the same interface as a fetcher. The thread receives, joins, verifies and
 * decompresses answers while the calling thread decodes the records.
 *
 * Answers are placed in memory that both threads share, so they are not copied. Errors of the thread are reported to
 * the handler here. An answer is finished when the handler has returned. The messages are:
 * - from the thread: answers in order, log lines, and the other calls of the fetcher's handler;
 * - to the thread: seeks and removals, which are numbered because an answer to an earlier one may still be on its way;
 *   which partitions may not be fetched; and, in a shared counter, how many answers are finished.
 */
export type ThreadCommand =
  | {
      readonly kind: 'seek'
      readonly partition: number
      readonly offset: number
      readonly epoch: ReadEpoch | undefined
      readonly seek: number
    }
  | { readonly kind: 'remove'; readonly partition: number }
  | { readonly kind: 'unwanted'; readonly partitions: readonly number[] }

/** Includes the number of the seek that these records follow. */
export interface ThreadRecords extends FetchedRecords {
  readonly seek: number
}

export type ThreadReport =
  | { readonly kind: 'ready' }
  | { readonly kind: 'records'; readonly answer: readonly ThreadRecords[] }
  | {
      readonly kind: 'outOfRange'
      readonly partition: number
      readonly seek: number
      readonly offset: number
      readonly log: LogRange
    }
  | { readonly kind: 'fatal'; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'log'; readonly level: 'info' | 'warn'; readonly message: string }

export interface ThreadStart {
  readonly kafka: KafkaOptions
  readonly metadata: TopicMetadata
  readonly fetch: Pick<FetcherOptions, 'topic' | 'maxWaitMs' | 'gatherMs' | 'maxBytes' | 'partitionMaxBytes'>
  /** A single counter: the answers that are finished. */
  readonly done: Int32Array<SharedArrayBuffer>
}

const lookAgainMs = 5

export class FetchThread {
  readonly #handler: FetchHandler
  readonly #log: FetcherOptions['log']
  readonly #thread: Worker
  readonly #done = new Int32Array(new SharedArrayBuffer(4))
  /** The partitions that are read, each with the number of its last seek. */
  readonly #seeks = new Map<number, number>()
  #lastSeek = 0
  #unwanted: readonly number[] = []
  #lookAgain: NodeJS.Timeout | undefined
  #commands: ThreadCommand[] = []
  #isOver = false
  readonly #ready = Promise.withResolvers<void>()

  constructor(options: Omit<FetcherOptions, 'memory'>, metadata: TopicMetadata) {
    const { cluster, handler, log, ...fetch } = options
    this.#handler = handler
    this.#log = log
    const start: ThreadStart = { kafka: cluster.options, metadata, fetch, done: this.#done }
    const file = join(import.meta.dirname, `fetch-thread-main${extname(import.meta.filename)}`)
    this.#thread = new Worker(file, { workerData: start, name: 'fetch' })
    // Each message is handled in its own turn of the event loop. Otherwise messages would starve timers and
    // connections.
    this.#thread.on('message', (report: ThreadReport) => setImmediate(() => this.#hear(report)))
  }

  /** Resolves when the thread has started. Commands sent earlier are executed then. */
  get ready(): Promise<void> {
    return this.#ready.promise
  }

  /** As {@link Fetcher.seek}. */
  seek(partition: number, offset: number, epoch?: ReadEpoch): void {
    if (this.#isOver) return
    const seek = ++this.#lastSeek
    this.#seeks.set(partition, seek)
    this.#send({ kind: 'seek', partition, offset, epoch, seek })
    this.#tellUnwanted()
  }

  remove(partition: number): void {
    if (this.#seeks.delete(partition)) this.#send({ kind: 'remove', partition })
  }

  /** Does not wait for brokers. Idempotent. */
  async stop(): Promise<void> {
    this.#end()
    await this.#thread.terminate()
  }

  #end(): void {
    this.#isOver = true
    this.#seeks.clear()
    clearTimeout(this.#lookAgain)
  }

  /** Sends the commands of one event loop turn together, so that partitions sought in a row share a request. */
  #send(command: ThreadCommand): void {
    this.#commands.push(command)
    if (this.#commands.length > 1) return
    queueMicrotask(() => {
      this.#thread.postMessage(this.#commands)
      this.#commands = []
    })
  }

  #hear(report: ThreadReport): void {
    if (this.#isOver) return
    switch (report.kind) {
      case 'ready':
        this.#ready.resolve()
        break
      case 'records':
        this.#take(report.answer)
        break
      case 'outOfRange':
        this.#reportOutOfRange(report)
        break
      case 'log':
        this.#log[report.level](report.message)
        break
      case 'fatal':
        this.#fail(new KpiError(report.code, report.message))
    }
  }

  #take(answer: readonly ThreadRecords[]): void {
    const current = answer.filter(({ partition, seek }) => this.#isCurrent(partition, seek))
    try {
      void this.#handler.records(current.map(withBuffer))
    } catch (error) {
      if (!(error instanceof KpiError)) throw error
      this.#fail(error)
      return
    }
    Atomics.add(this.#done, 0, 1)
    Atomics.notify(this.#done, 0)
    this.#tellUnwanted()
  }

  #reportOutOfRange({ partition, seek, offset, log }: ThreadReport & { kind: 'outOfRange' }): void {
    if (!this.#isCurrent(partition, seek)) return
    this.#seeks.delete(partition)
    this.#handler.outOfRange(partition, offset, log)
  }

  /** Whether a report belongs to the partition's latest seek. */
  #isCurrent(partition: number, seek: number): boolean {
    return this.#seeks.get(partition) === seek
  }

  #tellUnwanted(): void {
    clearTimeout(this.#lookAgain)
    const partitions = [...this.#seeks.keys()].filter((partition) => !this.#handler.wants(partition))
    if (partitions.length > 0) this.#lookAgain = setTimeout(() => this.#tellUnwanted(), lookAgainMs)
    if (partitions.join() === this.#unwanted.join()) return
    this.#unwanted = partitions
    this.#send({ kind: 'unwanted', partitions })
  }

  #fail(error: KpiError): void {
    this.#end()
    void this.#thread.terminate()
    this.#handler.fatal(error)
  }
}

/** Passing a Buffer between threads turns it into a plain Uint8Array. */
function withBuffer(fetched: FetchedRecords): FetchedRecords {
  const { buffer: bytes } = fetched.range
  return { ...fetched, range: { ...fetched.range, buffer: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length) } }
}
