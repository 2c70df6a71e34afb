import { hostname } from 'node:os'

/** Set by whoever starts several processes of one kind on a machine, for each of them. */
export const placeVariable = 'MARKET_KPI_PLACE'

/**
 * Names the place of this worker or feed: whoever starts there later is its successor. Started by `up` or `consume
 * --workers` it is the place that these gave it; else the HTTP port, of which each process of a machine has its own.
 *
 * @param askedPort - As the user asked for it.
 * @param http - `http://HOST:PORT` where it serves.
 * @returns Null where nothing of it lasts: a port that the system chose is another one at the next start.
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
