import type { Config } from '../config/load.ts'
import { KpiError, messageOf } from '../errors.ts'
import type { Logger } from '../log.ts'
import { pruneMetrics } from '../metrics/prune-metrics.ts'
import type { StatusRoutes } from '../metrics/status-server.ts'
import { pause } from '../runtime/abort.ts'
import { ownHealth, pipelineHealth, serveNear } from './service-status.ts'

/** Counts what has been deleted, during a round: a round that fails half-way has deleted something too. */
export interface PruneTally {
  rows: number
  letters: number
}

export interface RunPruneOptions {
  readonly config: Config
  readonly log: Logger
  readonly everyMs: number
  /** Undefined for the usual port, or the next free one after it. */
  readonly httpPort: number | undefined
  /** Deletes everything that is older than its retention time. */
  readonly round: (tally: PruneTally) => Promise<void>
  /** Called before the first round with the address of the metrics and health endpoints. */
  readonly ready: (url: string) => void
}

/** Clear of the ports of a few workers and feeds, and of the alert evaluator. */
export const usualPrunePort = 9489

/**
 * Prunes periodically until `stop` is aborted.
 *
 * @throws KpiError The error of a round, unless it is transient; `KPI_PORT_BUSY`.
 */
export async function runPrune(options: RunPruneOptions, stop: AbortSignal): Promise<void> {
  const rounds = new PruneRounds(options.log, Date.now)
  const http = await serveNear({ ...options, usualPort: usualPrunePort }, routesOf(rounds, options.config))
  try {
    options.ready(http.url)
    while (!stop.aborted) {
      await rounds.run(options.round)
      await pause(options.everyMs, stop)
    }
  } finally {
    await http.close()
  }
}

interface PruneFigures extends Readonly<PruneTally> {
  /** The number of finished rounds, including failed ones. */
  readonly rounds: number
  readonly failures: number
  /** Wall clock; null before the first success. */
  readonly lastSuccessAtMs: number | null
  /** The error of the last round; null when it succeeded, or no round has finished. */
  readonly failure: string | null
}

/** The results of all rounds since the start. */
class PruneRounds {
  readonly #log: Logger
  readonly #now: () => number
  readonly #tally: PruneTally = { rows: 0, letters: 0 }
  #rounds = 0
  #failures = 0
  #lastSuccessAtMs: number | null = null
  #failure: string | null = null

  /** @param now - Wall clock in milliseconds. */
  constructor(log: Logger, now: () => number) {
    this.#log = log
    this.#now = now
  }

  get figures(): PruneFigures {
    return {
      ...this.#tally,
      rounds: this.#rounds,
      failures: this.#failures,
      lastSuccessAtMs: this.#lastSuccessAtMs,
      failure: this.#failure,
    }
  }

  /** A transient error must not end the service: the next round may succeed. */
  async run(round: RunPruneOptions['round']): Promise<void> {
    try {
      await round(this.#tally)
      this.#lastSuccessAtMs = this.#now()
      this.#failure = null
    } catch (error) {
      if (!(error instanceof KpiError && error.retryable)) throw error
      this.#failures += 1
      this.#failure = messageOf(error)
      this.#log.warn(`not pruned this time: ${error.message}`)
    }
    this.#rounds += 1
  }
}

function routesOf(rounds: PruneRounds, config: Config): StatusRoutes {
  const notReady = () => obstaclesOf(rounds.figures)
  const health = pipelineHealth(config) ?? healthOf(rounds)
  return {
    metrics: pruneMetrics(() => ({ ...rounds.figures, isReady: notReady().length === 0 })),
    notReady,
    health: async () => ({ ...(await health()), prune: { ...rounds.figures, notReady: notReady() } }),
  }
}

function obstaclesOf({ rounds, failure }: PruneFigures): string[] {
  if (failure !== null) return [`the last round failed: ${failure}`]
  return rounds === 0 ? ['no round has ended yet'] : []
}

/** Pruning needs no brokers, so none may be configured. */
function healthOf(rounds: PruneRounds): StatusRoutes['health'] {
  const description = 'the prune of old rows; no brokers are configured, so the pipeline is not looked at'
  return async () => {
    const { rounds: value, failure } = rounds.figures
    const check = { value, unit: 'rounds', problem: failure ?? undefined }
    return ownHealth(description, { 'prune:rounds': check }, Date.now())
  }
}
