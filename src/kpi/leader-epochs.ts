/**
 * Leader epochs (KIP-320): each leader of a partition has a higher number than the one before, and stamps it on the record
 * batches it appends. A reader that keeps the epoch of the last batch it read can ask any later leader whether its log
 * still holds that batch. So it notices that the log was cut and grew past its position again, which offsets alone hide.
 */

/** Under which leader the last record batch before a position was written. */
export interface ReadEpoch {
  /** −1 where it is not known. */
  readonly leaderEpoch: number
  /** The first offset that was read under this epoch; −1 where it is not known. */
  readonly epochFrom: number
}

export const noEpoch: ReadEpoch = { leaderEpoch: -1, epochFrom: -1 }

/** What was read of a partition. */
export interface ReadUpTo extends ReadEpoch {
  readonly partition: number
  /** The offset after the last one that was read. */
  readonly nextOffset: number
}

/**
 * A leader's answer about an epoch: the highest epoch up to the one asked for of which its log has records, and the offset
 * at which the next epoch begins (the end of the log for the last one). Both are −1 where it knows none.
 */
export interface EpochEnd {
  readonly epoch: number
  readonly endOffset: number
}

/** Where the log stops being the log that was read. */
export interface Divergence {
  /** Below this offset the log is what was read; from here on it holds other messages, or ends. */
  readonly agreesTo: number
  /** Of the last record batch below `agreesTo`; −1 where it is not known. */
  readonly epoch: number
  /** Whether the logs may differ below `agreesTo` as well: the position keeps one epoch, and more than one was lost. */
  readonly isEstimate: boolean
}

/** @returns Undefined where the log still holds all that was read, as far as the epoch shows. */
export function divergenceOf(read: ReadEpoch & { readonly nextOffset: number }, end: EpochEnd): Divergence | undefined {
  const { leaderEpoch, epochFrom, nextOffset } = read
  if (leaderEpoch < 0) return undefined
  const isKnown = end.epoch >= 0 && end.endOffset >= 0
  if (isKnown && end.epoch >= leaderEpoch) {
    if (end.endOffset >= nextOffset) return undefined
    return { agreesTo: end.endOffset, epoch: end.epoch, isEstimate: false }
  }
  // This log never held the last batch. What was read before its epoch may be the same.
  const beforeEpoch = epochFrom >= 0 ? epochFrom : Math.max(0, nextOffset - 1)
  const agreesTo = isKnown ? Math.min(beforeEpoch, end.endOffset) : beforeEpoch
  const isEstimate = !isKnown || epochFrom < 0 || end.endOffset < epochFrom
  return { agreesTo, epoch: isKnown ? end.epoch : -1, isEstimate }
}
