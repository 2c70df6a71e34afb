import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isReadyMessage } from '../../src/process/ready-signal.ts'
import { type Vitals, vitalsOf } from './faults/processes-of.ts'

const root = join(import.meta.dirname, '..', '..')

export interface CrewOptions {
  readonly env: Record<string, string>
  readonly logsDir: string
  readonly say: (line: string) => void
  /** A worker did what nobody asked it to do. */
  readonly failed: (why: string) => void
  /** Whether a fault was at work since then: a worker that cannot start ends, and is started again. */
  readonly wasDisturbedSince: (sinceMs: number) => boolean
}

type State = 'down' | 'starting' | 'up' | 'stopping'

/** A worker promises to be gone 6 s after SIGTERM; the rest is for a machine with other things to do. */
const stopDeadlineMs = 15_000
const restartPauseMs = 1000

/**
 * One worker process, started again and again. It ends when we say so; by itself it may only end when it cannot start
 * while a fault is at work, and then, as under `up`, is started anew.
 */
export class Worker {
  readonly name: string
  readonly #options: CrewOptions
  readonly #hasOwnClock: boolean
  #child: ChildProcess | undefined
  #exited: Promise<void> = Promise.resolve()
  #state: State = 'down'
  #killed = false
  #wanted = false
  #aheadMs = 0
  #http: string | undefined
  #starts = 0

  constructor(name: string, hasOwnClock: boolean, options: CrewOptions) {
    this.name = name
    this.#options = options
    this.#hasOwnClock = hasOwnClock
  }

  get state(): State {
    return this.#state
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Of its metrics and health. */
  get http(): string | undefined {
    return this.#http
  }

  get vitals(): Vitals | undefined {
    return this.pid === undefined ? undefined : vitalsOf(this.pid)
  }

  start(): void {
    this.#wanted = true
    this.#spawn()
  }

  async kill(): Promise<void> {
    this.#wanted = false
    this.#killed = true
    this.#child?.kill('SIGKILL')
    await this.#exited
  }

  /** As an operator does it. */
  async stop(): Promise<void> {
    this.#wanted = false
    const child = this.#child
    if (child === undefined) return
    const wasUp = this.#state === 'up'
    const sinceMs = performance.now()
    this.#state = 'stopping'
    child.kill('SIGTERM')
    const timer = new AbortController()
    const overdue = delay(stopDeadlineMs, true, { signal: timer.signal }).catch(() => false)
    if (await Promise.race([overdue, this.#exited.then(() => false)])) {
      this.#options.failed(`${this.name} was not gone ${stopDeadlineMs / 1000} s after SIGTERM`)
      return this.kill()
    }
    timer.abort()
    if (wasUp && child.exitCode !== 0 && !this.#options.wasDisturbedSince(sinceMs)) {
      this.#options.failed(`${this.name} was stopped and ended with code ${child.exitCode}, signal ${child.signalCode}`)
    }
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal)
  }

  setClock(aheadMs: number): void {
    this.#aheadMs = aheadMs
    if (this.#hasOwnClock && this.#child?.connected) this.#child.send({ aheadMs }, () => undefined)
  }

  #spawn(): void {
    const startedAtMs = performance.now()
    this.#state = 'starting'
    this.#killed = false
    this.#starts += 1
    const log = openSync(join(this.#options.logsDir, `${this.name}.log`), 'a')
    const args = this.#hasOwnClock
      ? [join(root, 'test', 'chaos', 'faults', 'jumping-worker.ts')]
      : [join(root, 'bin', 'market-kpi.js'), 'consume', '--http-port', '0']
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: { ...process.env, NO_COLOR: '1', ...this.#options.env },
      stdio: ['ignore', log, log, 'ipc'],
    })
    closeSync(log)
    living.add(child)
    this.#child = child
    child.on('message', (message) => {
      if (!isReadyMessage(message) || this.#state !== 'starting') return
      this.#state = 'up'
      this.#http = message.http
      this.setClock(this.#aheadMs)
    })
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        living.delete(child)
        this.#ended(startedAtMs, code === null ? `by ${signal}` : `with code ${code}`)
        resolve()
      })
    })
  }

  #ended(startedAtMs: number, how: string): void {
    const { failed, wasDisturbedSince, say } = this.#options
    const was = this.#state
    this.#state = 'down'
    this.#child = undefined
    this.#http = undefined
    if (this.#killed || was === 'stopping') return
    if (was !== 'starting' || !wasDisturbedSince(startedAtMs)) {
      failed(`${this.name} ended ${how} and nobody asked it to; its log tells more`)
      return
    }
    say(`${this.name} could not start (${how}): again`)
    setTimeout(() => {
      if (this.#wanted && this.#state === 'down') this.#spawn()
    }, restartPauseMs)
  }
}

const living = new Set<ChildProcess>()

/** For the end of our own process: nothing may stay behind. */
export function killAllWorkers(): void {
  for (const child of living) child.kill('SIGKILL')
}

/** The workers that are always meant to run, and one that comes and goes. The second one has a clock of its own. */
export class Crew {
  readonly workers: readonly Worker[]
  readonly visitor: Worker

  constructor(count: number, options: CrewOptions) {
    this.workers = Array.from({ length: count }, (_, i) => new Worker(`worker-${i + 1}`, i === 1, options))
    this.visitor = new Worker('visitor', false, options)
  }

  /** @param number - From 1. */
  worker(number: number): Worker {
    const worker = this.workers[number - 1]
    if (worker === undefined) throw new Error(`no worker ${number}`)
    return worker
  }

  async stop(): Promise<void> {
    await Promise.all([...this.workers, this.visitor].map((worker) => worker.stop()))
  }

  async kill(): Promise<void> {
    await Promise.all([...this.workers, this.visitor].map((worker) => worker.kill()))
  }
}
