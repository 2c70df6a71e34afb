import { hostname } from 'node:os'

/** Set by the process that starts several workers or feeds on a machine, with a different value for each. */
export const placeVariable = 'MARKET_KPI_PLACE'

/**
 * Identifies the place of this worker or feed: the next process at the same place is its successor. A process started
 * by `up` or `consume --workers` gets its place from them. Otherwise the place is the HTTP port, because each process
 * on a machine has its own.
 *
 * @param askedPort - The port that the user asked for.
 * @param http - `http://HOST:PORT` of its HTTP server.
 * @returns Null if the place is not stable: a port chosen by the system changes at the next start.
 */
export function placeOfProcess(
  askedPort: number | undefined,
  http: string,
  env: NodeJS.ProcessEnv = process.env,
): string | null {
  const given = env[placeVariable]
  if (given) return `${hostname()} ${given}`
  return askedPort === 0 ? null : `${hostname()} port ${new URL(http).port}`
}
