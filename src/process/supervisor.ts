import { KpiError, messageOf } from '../errors.ts'
import type { Logger } from '../log.ts'
import { pause } from '../runtime/abort.ts'
import { Backoff } from '../runtime/backoff.ts'
import type { Clock } from '../runtime/clock.ts'
import type { ChildExit } from './child.ts'

/**
 * Keeps parts running and ends them in order.
 *
 * A part is `starting → running → (it ended) waiting → starting → …` until the supervisor stops; then `stopped` for
 * good. The first start is the caller's: its failure is thrown, not retried. Later ones are retried for ever, with
 * growing waits; a part that ran well for a while starts over with the shortest. A part that ends on an error that
 * another start cannot change is `given up`: it is not started again. No part ends by itself: a feed whose file is at
 * its end waits for the stop.
 *
 * An error that only a person can mend (wrong settings, a missing schema) is logged once, not at each retry.
 */
export interface Part<R extends RunningPart = RunningPart> {
  readonly name: string
  /** Parts of a lower stage end before those of a higher one begin to. */
  readonly stage: number
  /** How long its graceful end may take. */
  readonly stopDeadlineMs: number
  /** Returns when the part is ready. Aborting must end what was begun. */
  start(signal: AbortSignal): Promise<R>
  /** Whether another start cannot help after this error. @defaultValue It always may. */
  isFinal?(error: KpiError): boolean
  /** It is given up. */
  givenUp?(error: KpiError): void
}

export interface RunningPart {
  readonly pid: number
  /** Resolves when it has ended; never rejects. */
  readonly exited: Promise<ChildExit>
  /** Ends it gracefully, by force when the deadline has passed. Idempotent. */
  stop(deadlineMs: number): Promise<void>
  /** Ends it now; sends its signal before it returns. */
  kill(): void
  /** Why it ended. */
  failure(exit: ChildExit): KpiError
}

/** The first restart comes within half a second, later ones every 10 s at most. */
const firstRestartMs = 500
const restartCapMs = 10_000
/** A part that ran this long was well: its next end counts as the first. */
const healthyMs = 5000

interface Watched {
  readonly part: Part
  /** The error of its last end; undefined after it ran well for a while. */
  lastError: string | undefined
  running: RunningPart | undefined
  /** Ends when the part is stopped for good. */
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

  /** Starts a part for the first time and watches it from then on. @throws whatever its start throws. */
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

  /** Ends all parts, stage by stage. Idempotent: later calls wait for the first. */
  stop(deadlineMs: number): Promise<void> {
    this.#stopped ??= this.#stopAll(deadlineMs)
    return this.#stopped
  }

  /** Ends whatever still runs, now. What parts acknowledged is kept: they are built to be killed. */
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

  /** Logs why a part ended, or could not start; the same once more only where it may pass by itself. */
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

  /** It became ready at the moment the supervisor began to stop, and missed that. */
  async #endLatecomer(part: Part, running: RunningPart): Promise<void> {
    if (this.#hurried) running.kill()
    await running.stop(part.stopDeadlineMs)
  }

  /** @returns undefined when the supervisor stops meanwhile, or the part is given up. */
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
