import { KpiError, messageOf } from '../errors.ts'
import type { Logger } from '../log.ts'
import { pause } from '../runtime/abort.ts'
import { Backoff } from '../runtime/backoff.ts'
import type { Clock } from '../runtime/clock.ts'
import type { ChildExit } from './child.ts'

/**
 * Keeps parts running and stops them in order.
 *
 * A part is `starting → running → (it ended) waiting → starting → …` until the supervisor stops; then it is `stopped`
 * permanently. The caller does the first start: its failure is thrown, not retried. Later starts are retried forever
 * with growing delays; after a part has run well for a while, the delay is reset to the shortest. A part whose error a
 * restart cannot fix is `given up`: it is not restarted. Parts do not end by themselves: a feed at the end of its file
 * waits to be stopped.
 *
 * An error that only a person can fix (wrong settings, a missing schema) is logged once, not at each retry.
 */
export interface Part<R extends RunningPart = RunningPart> {
  readonly name: string
  /** Parts of a lower stage are stopped before those of a higher one. */
  readonly stage: number
  /** The time limit of its graceful stop. */
  readonly stopDeadlineMs: number
  /** Resolves when the part is ready. Aborting must stop whatever has been started. */
  start(signal: AbortSignal): Promise<R>
  /** Whether a restart cannot fix this error. @defaultValue A restart may always help */
  isFinal?(error: KpiError): boolean
  /** Called when the part is given up. */
  givenUp?(error: KpiError): void
}

export interface RunningPart {
  readonly pid: number
  /** Resolves when it has ended; never rejects. */
  readonly exited: Promise<ChildExit>
  /** Stops it gracefully, and kills it after the deadline. Idempotent. */
  stop(deadlineMs: number): Promise<void>
  /** Kills it; the signal is sent before this returns. */
  kill(): void
  /** Why it ended. */
  failure(exit: ChildExit): KpiError
}

/** The first restart comes within half a second; the delay grows to at most 10 s. */
const firstRestartMs = 500
const restartCapMs = 10_000
/** A part that ran at least this long was healthy: its next failure counts as the first. */
const healthyMs = 5000

interface Watched {
  readonly part: Part
  /** The error of its last end; undefined after it has run well for a while. */
  lastError: string | undefined
  running: RunningPart | undefined
  /** Resolves when the part has stopped permanently. */
  life: Promise<void>
}

export class Supervisor {
  readonly #clock: Clock
  readonly #log: Logger
  readonly #watched = new Map<string, Watched>()
  readonly #stopping = new AbortController()
  #stopped: Promise<void> | undefined
  #hurried = false

  constructor(options: { clock: Clock; log: Logger }) {
    this.#clock = options.clock
    this.#log = options.log
  }

  /** Starts a part for the first time and supervises it from then on. @throws the error of the part's start. */
  async start<R extends RunningPart>(part: Part<R>): Promise<R> {
    this.#stopping.signal.throwIfAborted()
    const watched: Watched = { part, lastError: undefined, running: undefined, life: Promise.resolve() }
    this.#watched.set(part.name, watched)
    const starting = part.start(this.#stopping.signal)
    watched.life = starting.then(
      (running) => this.#watch(watched, running),
      () => undefined,
    )
    const running = await starting
    this.#stopping.signal.throwIfAborted()
    return running
  }

  /** Stops all parts, stage by stage. Idempotent: later calls wait for the first. */
  stop(deadlineMs: number): Promise<void> {
    this.#stopped ??= this.#stopAll(deadlineMs)
    return this.#stopped
  }

  /** Kills all running parts. No acknowledged data is lost: the parts are crash-safe. */
  forceStop(): void {
    this.#hurried = true
    this.#stopping.abort(new Error('stopping'))
    for (const { running } of this.#watched.values()) running?.kill()
  }

  async #stopAll(deadlineMs: number): Promise<void> {
    const until = this.#clock.now() + deadlineMs
    this.#stopping.abort(new Error('stopping'))
    const all = [...this.#watched.values()]
    for (const stage of new Set(all.map(({ part }) => part.stage).sort((a, b) => a - b))) {
      const ending = all.filter(({ part }) => part.stage === stage)
      await Promise.all(ending.map((watched) => this.#end(watched, until)))
    }
  }

  async #end(watched: Watched, until: number): Promise<void> {
    const { part, running } = watched
    const leftMs = Math.max(0, Math.min(part.stopDeadlineMs, until - this.#clock.now()))
    if (this.#hurried) running?.kill()
    else if (running) {
      this.#log.debug(`stopping ${part.name}`)
      await running.stop(leftMs)
    }
    await watched.life
  }

  async #watch(watched: Watched, first: RunningPart): Promise<void> {
    const backoff = new Backoff({ firstMs: firstRestartMs, capMs: restartCapMs, random: this.#clock.random })
    for (let running: RunningPart | undefined = first; running; running = await this.#restart(watched, backoff)) {
      if (this.#stopping.signal.aborted) return this.#endLatecomer(watched.part, running)
      watched.running = running
      const sinceMs = this.#clock.now()
      const exit = await running.exited
      watched.running = undefined
      if (this.#stopping.signal.aborted) return
      if (this.#clock.now() - sinceMs >= healthyMs) {
        backoff.reset()
        watched.lastError = undefined
      }
      if (this.#noteFailure(watched, running.failure(exit)) === 'given up') return
    }
  }

  /** Logs why a part ended or could not start. A repeated message is only logged again when the error is transient. */
  #noteFailure(watched: Watched, error: unknown): 'given up' | 'repeated' | 'new' {
    const { part } = watched
    const message = messageOf(error)
    if (error instanceof KpiError && part.isFinal?.(error)) {
      this.#log.error(`${message}; ${part.name} is not started again`)
      part.givenUp?.(error)
      return 'given up'
    }
    const isRepeated = error instanceof KpiError && !error.retryable && message === watched.lastError
    watched.lastError = message
    if (isRepeated) this.#log.debug(message)
    else this.#log.error(message)
    return isRepeated ? 'repeated' : 'new'
  }

  /** Stops a part that became ready just after the supervisor began to stop. */
  async #endLatecomer(part: Part, running: RunningPart): Promise<void> {
    if (this.#hurried) running.kill()
    await running.stop(part.stopDeadlineMs)
  }

  /** @returns undefined when the supervisor stops in the meantime, or the part is given up. */
  async #restart(watched: Watched, backoff: Backoff): Promise<RunningPart | undefined> {
    const { part } = watched
    const { signal } = this.#stopping
    for (let level: 'info' | 'debug' = 'info'; ; ) {
      const waitMs = backoff.nextMs()
      this.#log[level](`starting ${part.name} again in ${(waitMs / 1000).toFixed(1)} s`)
      await pause(waitMs, signal, this.#clock)
      if (signal.aborted) return undefined
      try {
        const running = await part.start(signal)
        this.#log.info(`${part.name} runs again (pid ${running.pid})`)
        return running
      } catch (error) {
        if (signal.aborted) return undefined
        const noted = this.#noteFailure(watched, error)
        if (noted === 'given up') return undefined
        level = noted === 'repeated' ? 'debug' : 'info'
      }
    }
  }
}
