import type { Logger } from '../log.ts'
import { naiveWays } from './database/naive-writes.ts'
import type { Plan } from './plan.ts'
import { findKcat } from './throughput/kcat.ts'
import { topicOf } from './throughput/throughput.ts'

const heartbeatMs = 5000

/**
 * Logs what a benchmark is doing and how much is left. Each part logs a line after each of its steps. This class
 * counts them, and reports how long the current step has taken if it takes long.
 */
export class Progress {
  readonly #log: Logger
  readonly #total: number
  readonly #now: () => number
  readonly #startedAtMs: number
  #stepAtMs: number
  #done = 0
  #timer: NodeJS.Timeout | undefined

  constructor(log: Logger, total: number, now: () => number = () => performance.now()) {
    this.#log = log
    this.#total = total
    this.#now = now
    this.#startedAtMs = now()
    this.#stepAtMs = this.#startedAtMs
  }

  start(what: string): void {
    this.#log.info(`${what}: ${this.#total} steps, the first starts the servers`)
    this.#timer = setInterval(() => this.beat(), heartbeatMs)
    this.#timer.unref()
  }

  step(what: string): void {
    this.#done += 1
    this.#stepAtMs = this.#now()
    this.#log.info(`[${this.#done}/${this.#total}${this.#left()}] ${what}`)
  }

  /** Logs that the current step is still running. */
  beat(): void {
    const seconds = Math.round((this.#now() - this.#stepAtMs) / 1000)
    if (this.#done < this.#total) {
      this.#log.info(
        `[${this.#done}/${this.#total}${this.#left()}] step ${this.#done + 1} has taken ${seconds} s so far`,
      )
    }
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /**
   * Estimated from the mean duration of the steps so far. There is no estimate before two steps are done, because the
   * start of the servers is not a typical step.
   */
  #left(): string {
    if (this.#done < 2) return ''
    const meanMs = (this.#stepAtMs - this.#startedAtMs) / this.#done
    const seconds = Math.max(0, (meanMs * (this.#total - this.#done) - (this.#now() - this.#stepAtMs)) / 1000)
    return this.#done === this.#total ? '' : `, about ${Math.ceil(seconds)} s left`
  }
}

/** The log for a part: each line that the part logs is a finished step. */
export function stepLog(progress: Progress, log: Logger): Logger {
  return {
    debug: log.debug.bind(log),
    info: (what: object | string) => progress.step(String(what)),
    warn: log.warn.bind(log),
    error: log.error.bind(log),
    child: log.child.bind(log),
  }
}

/** How many steps the parts of a plan log, including the start of the servers. */
export function stepsOf({ throughput, latency, tuning, database, startUp }: Plan): number {
  const readers = findKcat() === undefined ? 2 : 3
  const counts = [
    throughput || latency || tuning || startUp ? 1 : 0,
    throughput ? new Set(throughput.cases.map(topicOf)).size + throughput.runs * throughput.cases.length * readers : 0,
    latency ? latency.rates.length * latency.waitsMs.length * latency.runs : 0,
    tuning ? tuning.settings.length * (tuning.runs + 1) + naiveWays.length : 0,
    database ? database.shapes.length * database.variants.length * database.runs : 0,
    database && database.growth.variants.length > 0 ? 1 : 0,
    startUp ? 1 + startUp.runs : 0,
  ]
  return counts.reduce((sum, count) => sum + count, 0)
}
