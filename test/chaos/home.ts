import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { KafkaServer } from '../../src/embedded/kafka/kafka-server.ts'
import type { PostgresServer } from '../../src/embedded/postgres/postgres-server.ts'
import { messageOf } from '../../src/errors.ts'
import { Disk } from './faults/disks.ts'
import { childrenOf } from './faults/processes-of.ts'

export interface HomeOptions {
  /** Where it makes its own. */
  readonly folder: string
  readonly hasDisks: boolean
  /** The server ended, or could not be started again, and it was not us. */
  readonly failed: (why: string) => void
}

const stopDeadlineMs = 20_000
const restartPauseMs = 500
const mostStarts = 20
/** What a server that its disk had hurt may need to make up its mind. */
const decisionMs = 30_000
const lookPauseMs = 1000

/** A server that comes back at its place, whatever happened to it. */
export class Home<S extends KafkaServer | PostgresServer> {
  readonly name: string
  /** Of its data; on a disk of its own where there can be one. */
  readonly folder: string
  readonly disk: Disk | undefined
  readonly #options: HomeOptions
  readonly #start: () => Promise<S>
  readonly #answers: (server: S) => Promise<boolean>
  #server: S | undefined
  /** Whether an end of the server is what we want, or expect. */
  #mayEnd = false

  constructor(
    name: string,
    options: HomeOptions,
    ways: { start: () => Promise<S>; answers: (server: S) => Promise<boolean> },
  ) {
    this.name = name
    this.#options = options
    this.#start = ways.start
    this.#answers = ways.answers
    this.folder = join(options.folder, name)
    if (options.hasDisks) this.disk = new Disk(this.folder)
    else mkdirSync(this.folder)
  }

  get server(): S {
    if (this.#server === undefined) throw new Error(`${this.name} was not started`)
    return this.#server
  }

  async start(): Promise<void> {
    const server = await this.#start()
    this.#mayEnd = false
    this.#server = server
    void server.exited.then((exit) => {
      this.#server = undefined
      if (!this.#mayEnd) this.#options.failed(server.failure(exit).message)
    })
  }

  /** As the supervisor of `up` does it: again and again. */
  async restart(): Promise<void> {
    for (let starts = 1; ; starts++) {
      try {
        return await this.start()
      } catch (error) {
        if (starts === mostStarts) return this.#options.failed(`${this.name} does not start again: ${messageOf(error)}`)
        await delay(restartPauseMs)
      }
    }
  }

  async kill(): Promise<void> {
    this.#mayEnd = true
    const { pid, exited } = this.server
    process.kill(pid, 'SIGKILL')
    await exited
  }

  async stop(): Promise<void> {
    this.#mayEnd = true
    await this.#server?.stop(stopDeadlineMs)
  }

  /** With all its processes. @returns Lets them go on. */
  freeze(): () => void {
    const { pid } = this.server
    const all = [pid, ...childrenOf(pid)]
    signalAll(all, 'SIGSTOP')
    return () => signalAll(all.reverse(), 'SIGCONT')
  }

  /** For a time in which it may end by itself, and is started again if it did. */
  async whileItMayEnd(work: () => Promise<void>): Promise<void> {
    this.#mayEnd = true
    await work()
    const until = performance.now() + decisionMs
    for (let answers = 0; answers < 2 && performance.now() < until; ) {
      const server = this.#server
      if (server === undefined) await this.restart()
      else if (await this.#answers(server)) answers += 1
      await delay(lookPauseMs)
    }
    this.#mayEnd = false
  }
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch {
      // It has ended meanwhile.
    }
  }
}
