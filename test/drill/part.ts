import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isReadyMessage } from '../../src/process/ready-signal.ts'

const root = join(import.meta.dirname, '..', '..')
const stopDeadlineMs = 15_000
const startDeadlineMs = 60_000
const living = new Set<ChildProcess>()

/** For the end of our own process: nothing may stay behind. */
export function killAllParts(): void {
  for (const child of living) child.kill('SIGKILL')
}

/** One program of the pipeline. Nobody starts it again when it ends: that is what the drill wants to see told. */
export class Part {
  readonly #name: string
  readonly #logsDir: string
  #child: ChildProcess | undefined
  #exited: Promise<void> = Promise.resolve()
  #http: string | undefined

  constructor(name: string, logsDir: string) {
    this.#name = name
    this.#logsDir = logsDir
  }

  get isUp(): boolean {
    return this.#child !== undefined
  }

  /** Of its metrics, where it has some. */
  get http(): string | undefined {
    return this.#http
  }

  /**
   * Returns when it does its work.
   *
   * @param command - A file of the project and its arguments.
   */
  async start([file, ...args]: readonly [string, ...string[]], env: Readonly<Record<string, string>>): Promise<void> {
    const log = openSync(join(this.#logsDir, `${this.#name}.log`), 'a')
    const child = spawn(process.execPath, [join(root, file), ...args], {
      cwd: root,
      env: { ...process.env, NO_COLOR: '1', ...env },
      stdio: ['ignore', log, log, 'ipc'],
    })
    closeSync(log)
    living.add(child)
    this.#child = child
    this.#exited = new Promise((resolve) => {
      child.once('exit', () => {
        living.delete(child)
        this.#child = undefined
        resolve()
      })
    })
    const ready = new Promise<string>((resolve) => {
      child.on('message', (message) => {
        if (!isReadyMessage(message)) return
        this.#http = message.http
        resolve('ready')
      })
    })
    const outcome = await within(startDeadlineMs, Promise.race([ready, this.#exited.then(() => 'ended')]))
    if (outcome !== 'ready') throw new Error(`${this.#name} did not start (${outcome ?? 'not in time'}); see its log`)
  }

  async stop(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    child.kill('SIGTERM')
    const isGone = await within(
      stopDeadlineMs,
      this.#exited.then(() => true),
    )
    if (!isGone) await this.kill()
  }

  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#exited
  }
}

async function within<T>(deadlineMs: number, work: Promise<T>): Promise<T | undefined> {
  const timer = new AbortController()
  const late = delay(deadlineMs, undefined, { signal: timer.signal }).catch(() => undefined)
  try {
    return await Promise.race([work, late])
  } finally {
    timer.abort()
  }
}
