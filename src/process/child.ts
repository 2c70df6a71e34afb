import { type ChildProcess, spawn } from 'node:child_process'
import { KpiError, messageOf } from '../errors.ts'
import { within } from '../runtime/abort.ts'
import { LineTail } from './line-tail.ts'
import type { RotatingLog } from './rotating-log.ts'
import type { RunRecords } from './run-records.ts'

/** How a child process ended. */
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
  /** The log that receives its output. */
  readonly output: RotatingLog
  /** Stores its identity while it runs. */
  readonly records?: RunRecords
}

/**
 * A child process. Its output goes to a rotating log, and its identity is recorded. It has its own session, so that
 * Ctrl-C in the terminal reaches only `up`, which stops the parts in order.
 */
export class Child {
  readonly name: string
  readonly pid: number
  /** Resolves when the process has ended and all of its output has been read; never rejects. */
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
        this.tail.push(chunk)
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
        // A grandchild (a PostgreSQL backend after kill −9 of its parent) may keep the pipe open, so the wait is
        // limited.
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
   * @throws KpiError `KPI_CHILD_FAILED` when the program cannot be started; and the error of a full disk when the child
   *   cannot be recorded, since an unrecorded child must not run.
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

  /** Sends each signal in turn and waits its time for the process to end; sends SIGKILL after the last. */
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
   * @param signal - Stops the program when aborted.
   * @throws KpiError The error of {@link failure} when the program failed; the signal's reason.
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

  /** Why the process ended, according to its last output. */
  failure(exit: ChildExit): KpiError {
    return failureOf(this.name, exit, this.tail)
  }
}

const outputGraceMs = 200

const living = new Set<Child>()

/** Used when a bug ends this process: no child may remain. Sends the signals before it returns. */
export function killAllChildren(): void {
  for (const child of living) child.signal('SIGKILL')
}

/**
 * The last alternative is Java's message when the disk is full and a memory-mapped file, such as a Kafka index, cannot
 * grow.
 */
const diskFullWords = /No space left on device|ENOSPC|not enough space|fault occurred in an? \w* ?unsafe memory access/i

/** Explains an early or unexpected end to the user, from the last output of the child. */
export function failureOf(name: string, exit: ChildExit, tail: LineTail): KpiError {
  const diskFull = tail.find(diskFullWords)
  if (diskFull !== undefined) {
    return new KpiError('KPI_DISK_FULL', `${name} stopped, its disk is full: free some space (${diskFull})`)
  }
  const busy = tail.find(/Address (already )?in use|EADDRINUSE|Socket server failed to bind|port \d+ is taken: name/i)
  if (busy !== undefined) return new KpiError('KPI_PORT_BUSY', `${name} could not take its port: ${busy}`)
  // SIGKILL leaves no time to log a reason, so the last lines of output do not explain the end.
  if (exit.signal === 'SIGKILL') return new KpiError('KPI_CHILD_FAILED', `${name} was killed (SIGKILL)`)
  const how = exit.signal ? `was ended by ${exit.signal}` : `ended with code ${exit.code}`
  const why = tail.lastMeaningful()
  return new KpiError('KPI_CHILD_FAILED', why === undefined ? `${name} ${how}` : `${name} ${how}: ${why}`)
}
