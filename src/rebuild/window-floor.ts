import { KpiError } from '../errors.ts'

const yearSeconds = 31_536_000

/**
 * The first instant from `us` on at which a window of both lengths starts; 0 stays 0.
 *
 * @throws KpiError `KPI_REBUILD_REFUSED` when that may be more than a year later.
 */
export function commonWindowStart(us: number, secondsBefore: number, seconds: number): number {
  if (us <= 0) return 0
  const common = (secondsBefore / greatestCommonDivisor(secondsBefore, seconds)) * seconds
  if (common > yearSeconds) {
    throw new KpiError(
      'KPI_REBUILD_REFUSED',
      `windows of ${secondsBefore} s and of ${seconds} s start together only every ${common} s, and what was pruned, or ` +
        'is gone from the log, has to end at such a moment: take a length that divides the other',
    )
  }
  return Math.ceil(us / (common * 1e6)) * common * 1e6
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
