import { type ChildProcess, spawn } from 'node:child_process'
import { KpiError, messageOf } from '../errors.ts'
import { within } from '../runtime/abort.ts'
import { LineTail } from './line-tail.ts'
import type { RotatingLog } from './rotating-log.ts'
import type { RunRecords } from './run-records.ts'

/** How a child ended. */
export interface ChildExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface ChildOptions {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  readonly uid?: number
  readonly gid?: number
  /** A channel for messages from the child. */
  readonly ipc?: (message: unknown) => void
  /** Is told each line of its output. */
  readonly line?: (line: string) => void
  /** Where its output goes. */
  readonly output: RotatingLog
  /** Where its identity is kept while it runs. */
  readonly records?: RunRecords
}

/**
 * A child process of ours: output to a rotated log, identity on record, and a session of its own, so that Ctrl-C in the
 * terminal reaches `up` alone and the parts end in their order.
 */
export class Child {
  readonly name: string
  readonly pid: number
  /** Resolves when the process has ended and its output has been read to the end; never rejects. */
  readonly exited: Promise<ChildExit>
  readonly tail = new LineTail()
  readonly #process: ChildProcess
  #ended = false

  private constructor(name: string, pid: number, child: ChildProcess, options: ChildOptions) {
    this.name = name
    this.pid = pid
    this.#process = child
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        options.output.write(chunk)
        const lines = this.tail.push(chunk)
        if (options.line) lines.forEach(options.line)
      })
    }
    if (options.ipc) child.on('message', options.ipc)
    child.on('error', () => undefined)
    living.add(this)
    this.exited = new Promise((resolve) => {
      child.once('exit', () => {
        this.#ended = true
        living.delete(this)
        options.records?.remove(name, pid)
        // A grandchild (a PostgreSQL backend after kill −9 of its parent) may hold the pipe open: do not wait for it long.
        setTimeout(() => child.stdout?.destroy(), outputGraceMs).unref()
        setTimeout(() => child.stderr?.destroy(), outputGraceMs).unref()
      })
      child.once('close', (code, signal) => {
        options.output.close()
        resolve({ code, signal })
      })
    })
  }

  /**
   * @throws KpiError `KPI_CHILD_FAILED` when the program cannot be started at all; what a full disk throws when its start
   *   cannot be noted down, since a child that is not on record must not run.
   */
  static async start(options: ChildOptions): Promise<Child> {
    const child = spawn(options.command, options.args, {
      stdio: ['ignore', 'pipe', 'pipe', ...(options.ipc ? (['ipc'] as const) : [])],
      detached: true,
      ...(options.env ? { env: options.env } : {}),
      ...(options.cwd !== undefined ? { cwd: options.cwd } : {}),
      ...(options.uid !== undefined ? { uid: options.uid } : {}),
      ...(options.gid !== undefined ? { gid: options.gid } : {}),
    })
    if (child.pid === undefined) {
      const reason = await new Promise<unknown>((resolve) => child.once('error', resolve))
      throw new KpiError('KPI_CHILD_FAILED', `cannot start ${options.name}: ${messageOf(reason)}`, { cause: reason })
    }
    try {
      options.records?.write(options.name, child.pid, [options.command, ...options.args].join(' '))
    } catch (error) {
      child.kill('SIGKILL')
      throw error
    }
    return new Child(options.name, child.pid, child, options)
  }

  get ended(): boolean {
    return this.#ended
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.#ended) this.#process.kill(signal)
  }

  /** Sends each signal in turn, waiting so long for the end before the next; SIGKILL comes last by itself. */
  async stop(steps: readonly { readonly signal: NodeJS.Signals; readonly waitMs: number }[]): Promise<ChildExit> {
    for (const { signal, waitMs } of steps) {
      this.signal(signal)
      if (await this.endsWithin(waitMs)) return this.exited
    }
    this.signal('SIGKILL')
    return this.exited
  }

  /**
   * Waits for a program that ends by itself when its work is done.
   *
   * @param signal - Aborting ends it before.
   * @throws KpiError of {@link failure} when it failed; the signal's reason.
   */
  async finish(signal: AbortSignal | undefined): Promise<void> {
    const end = () => this.signal('SIGTERM')
    signal?.addEventListener('abort', end)
    if (signal?.aborted) end()
    const exit = await this.exited
    signal?.removeEventListener('abort', end)
    signal?.throwIfAborted()
    if (exit.code !== 0) throw this.failure(exit)
  }

  async endsWithin(waitMs: number): Promise<boolean> {
    return (await within(waitMs, this.exited)) !== undefined
  }

  /** Why it ended, from its last words. */
  failure(exit: ChildExit): KpiError {
    return failureOf(this.name, exit, this.tail)
  }
}

const outputGraceMs = 200

const living = new Set<Child>()

/** For the end of our own process by a bug: nothing may stay behind. Sends its signals before it returns. */
export function killAllChildren(): void {
  for (const child of living) child.signal('SIGKILL')
}

/** The last is Java's when a page of a file that it has mapped, as Kafka its indexes, finds no room. */
const diskFullWords = /No space left on device|ENOSPC|not enough space|fault occurred in an? \w* ?unsafe memory access/i

/** What an early or unexpected end means for the user, from the last words of the child. */
export function failureOf(name: string, exit: ChildExit, tail: LineTail): KpiError {
  const diskFull = tail.find(diskFullWords)
  if (diskFull !== undefined) {
    return new KpiError('KPI_DISK_FULL', `${name} stopped, its disk is full: free some space (${diskFull})`)
  }
  const busy = tail.find(/Address (already )?in use|EADDRINUSE|Socket server failed to bind|port \d+ is taken: name/i)
  if (busy !== undefined) return new KpiError('KPI_PORT_BUSY', `${name} could not take its port: ${busy}`)
  // Nobody gets to say a last word before SIGKILL: what stands there last is no reason.
  if (exit.signal === 'SIGKILL') return new KpiError('KPI_CHILD_FAILED', `${name} was killed (SIGKILL)`)
  const how = exit.signal ? `was ended by ${exit.signal}` : `ended with code ${exit.code}`
  const why = tail.lastMeaningful()
  return new KpiError('KPI_CHILD_FAILED', why === undefined ? `${name} ${how}` : `${name} ${how}: ${why}`)
}
