import type { Config } from '../config/load.ts'
import { thresholdsOf } from '../config/thresholds.ts'
import type { Logger } from '../log.ts'
import { type StatusRoutes, type StatusServer, serveStatus } from '../metrics/status-server.ts'
import { healthJson } from '../observe/health-report.ts'
import { choosePort, startAtFreePort } from '../process/ports.ts'
import { observerOf } from './observer-of.ts'

/** The help text of the HTTP port option, for commands that serve HTTP beside their work. */
export const httpPortHelp = (usualPort: number) =>
  `port of /metrics, /livez, /readyz and /health on this machine; 0 for any free one (default: ${usualPort}, or the next free one)`

/**
 * Serves HTTP at the given port; without one, at the usual port or the next free one after it.
 *
 * @throws KpiError `KPI_PORT_BUSY`.
 */
export async function serveNear(
  { httpPort, usualPort, log }: { httpPort: number | undefined; usualPort: number; log: Logger },
  routes: StatusRoutes,
): Promise<StatusServer> {
  if (httpPort !== undefined) return serveStatus(httpPort, routes)
  return startAtFreePort(async () => {
    const port = await choosePort(usualPort)
    const server = await serveStatus(port, routes)
    if (port !== usualPort) log.info(`port ${usualPort} is taken: HTTP gets ${port}`)
    return server
  })
}

/** {@link observedHealth}; undefined when the configuration lacks some of the pipeline's servers. */
export function pipelineHealth(config: Config): StatusRoutes['health'] | undefined {
  const hasDatabase = config.databaseUrl !== undefined || config.postgresHost !== undefined
  if (!hasDatabase || config.kafkaBootstrapServers === undefined) return undefined
  return observedHealth(config)
}

/** The health of the whole pipeline, observed at each request. */
export function observedHealth(config: Config): StatusRoutes['health'] {
  const thresholds = thresholdsOf(config)
  const observer = observerOf(config, thresholds)
  return async () => healthJson(await observer.observe(), thresholds)
}

/** One check that a service does by itself. */
export interface OwnCheck {
  /** Null when it is unknown. */
  readonly value: number | string | null
  readonly unit: string
  /** Why the check fails; undefined when it passes. */
  readonly problem?: string | undefined
}

/** The health of a service that cannot observe the pipeline, in the same format. */
export function ownHealth(
  description: string,
  checks: Readonly<Record<string, OwnCheck>>,
  nowMs: number,
): Record<string, unknown> {
  const time = new Date(nowMs).toISOString()
  const problems = Object.values(checks).flatMap(({ problem }) => problem ?? [])
  const told = Object.entries(checks).map(([key, { value, unit, problem }]) => [
    key,
    [
      {
        status: problem === undefined ? 'pass' : 'fail',
        observedValue: value,
        observedUnit: unit,
        time,
        ...(problem === undefined ? {} : { output: problem }),
      },
    ],
  ])
  return {
    status: problems.length === 0 ? 'pass' : 'fail',
    serviceId: 'market-kpi',
    description,
    ...(problems[0] === undefined ? {} : { output: problems.join('; ') }),
    checks: Object.fromEntries(told),
  }
}
