import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { timingsAt } from '../alerts/alert-rules.ts'
import { AlertEvaluator } from '../alerts/evaluator.ts'
import type { Notifier } from '../alerts/notification.ts'
import { openPostgresStore } from '../alerts/postgres-store.ts'
import type { Config } from '../config/load.ts'
import { thresholdsOf } from '../config/thresholds.ts'
import { samplesOf } from '../export/metrics/pipeline-samples.ts'
import { kafkaOptions } from '../kafka/client/options.ts'
import type { Logger } from '../log.ts'
import { alertMetrics } from '../metrics/alert-metrics.ts'
import { renderPipeline } from '../metrics/pipeline-metrics.ts'
import { healthJson } from '../observe/health-report.ts'
import { aborted, pause } from '../runtime/abort.ts'
import { placeOf, postgresOptions } from '../store/client/connection.ts'
import { observerOf } from './observer-of.ts'
import { serveNear } from './service-status.ts'
import { observeSignals, userRules } from './signals.ts'

export interface RunEvaluatorOptions {
  readonly config: Config
  readonly log: Logger
  readonly notifiers: readonly Notifier[]
  readonly intervalMs: number
  /** Undefined for the usual port, or the next free one. */
  readonly httpPort: number | undefined
  /** Called when evaluation has started, with the address of the metrics and health endpoints. */
  readonly ready: (url: string) => void
}

/** Higher than the ports of a few workers. */
const usualHttpPort = 9494
/** After this many intervals without an evaluation, evaluations count as missing. */
const lateIntervals = 3
/** Another evaluator takes over when the leader has not been seen for this many intervals plus `observationMs`. */
const leaderIntervals = 2
/** The time allowed for one evaluation: five seconds when servers are unreachable. */
const observationMs = 5000
/**
 * Added to the maximum age of an observation, which takes four seconds when servers are unreachable, whatever the
 * interval.
 */
const unreachableMs = 10_000

/**
 * Runs an alert evaluator until `stop` is aborted. It starts even when servers are unreachable, since it must report
 * that.
 *
 * @throws KpiError `KPI_CONFIG_INVALID`, `KPI_PORT_BUSY`.
 */
export async function runEvaluator(options: RunEvaluatorOptions, stop: AbortSignal): Promise<void> {
  const { config, log, notifiers, intervalMs } = options
  const thresholds = thresholdsOf(config)
  const postgres = postgresOptions(config)
  const observer = observerOf(config, thresholds)
  const rules = userRules()
  const observeNow = observeSignals(config, observer, rules)
  const evaluator = new AlertEvaluator({
    observe: async () => (await observeNow()).signals,
    openStore: () =>
      openPostgresStore(postgres, {
        evaluator: `${hostname()} ${process.pid}`,
        patienceMs: leaderIntervals * intervalMs + observationMs,
      }),
    notifiers,
    timingOf: timingsAt(intervalMs, new Map(rules.map((rule) => [rule.name, rule.for]))),
    context: {
      source: { topic: config.kafkaTopic, group: config.kafkaGroup, evaluator: hostname() },
      runbookBaseUrl: config.alertRunbookBaseUrl,
      places: { kafka: kafkaOptions(config, '').bootstrap.join(','), postgres: placeOf(postgres) },
    },
    intervalMs,
    clock: { wallMs: Date.now, pause, random: Math.random },
    newId: randomUUID,
    log,
  })
  const ownMetrics = alertMetrics(() => measuresOf(evaluator))
  const http = await serveNear(
    { httpPort: options.httpPort, usualPort: usualHttpPort, log },
    {
      metrics: async () => {
        // Reuses the evaluator's own observation, so that scrapes cause no further requests to the servers.
        const observation = await observer.observe(intervalMs + unreachableMs)
        return (await renderPipeline(samplesOf(observation, thresholds))) + (await ownMetrics())
      },
      notReady: () => obstaclesOf(evaluator, intervalMs),
      health: async () => ({ ...healthJson(await observer.observe(), thresholds), alerts: evaluator.figures }),
    },
  )
  try {
    evaluator.start()
    options.ready(http.url)
    await aborted(stop)
  } finally {
    await http.close()
    await evaluator.stop()
  }
}

function measuresOf({ figures }: AlertEvaluator) {
  const { role } = figures
  const hasDatabase = role === 'leader' || role === 'follower'
  return { ...figures, hasDatabase, leads: role === 'leader' || role === 'acting' }
}

function obstaclesOf({ figures: { lastEvaluationAtMs } }: AlertEvaluator, intervalMs: number): string[] {
  if (lastEvaluationAtMs === null) return ['no evaluation has finished yet']
  const lateMs = Date.now() - lastEvaluationAtMs
  return lateMs > lateIntervals * intervalMs + unreachableMs
    ? [`the last evaluation was ${Math.round(lateMs / 1000)} s ago`]
    : []
}
