import type { RebuiltCounters } from '../store/rebuild/positions.ts'
import type { RebuildPosition } from '../store/rebuild/session.ts'

/** What a scan of one partition found, up to its position. */
export interface ScannedPartition {
  readonly isWhole: boolean
  readonly accepted: number
  readonly rejected: number
  readonly acceptedBefore: number
  readonly watermarkUs: number
  readonly latestUs: number
}

/**
 * The counters of a partition, so that each offset is counted once: as found, where the log holds everything; otherwise
 * as they were, moved by what is taken otherwise than before.
 *
 * @param unpurged - Messages that are accepted now, and whose dead letters had been purged.
 */
export function countersAfter(position: RebuildPosition, scan: ScannedPartition, unpurged: number): RebuiltCounters {
  const { partition, firstOffset, nextOffset, lost, withoutMessage } = position
  const purged = Math.max(0, position.purged - unpurged)
  if (scan.isWhole) {
    const { accepted: merged, rejected, watermarkUs } = scan
    const rest = nextOffset - firstOffset - lost - merged - rejected
    return { partition, merged, rejected, withoutMessage: rest, watermarkUs, purged }
  }
  const more = scan.accepted - scan.acceptedBefore
  // A message that is not accepted any more may have made the old watermark, and so may one that is gone.
  const watermarkUs = Math.max(scan.watermarkUs, Math.min(position.watermarkUs, scan.latestUs))
  return {
    partition,
    merged: position.merged + more,
    rejected: position.rejected - more,
    withoutMessage,
    watermarkUs: more === 0 ? position.watermarkUs : watermarkUs,
    purged,
  }
}
