/** A worker's recent counts, over the last `seconds`. */
export interface RecentCounts {
  readonly seconds: number
  readonly processed: number
  readonly rejected: number
}

interface Sample {
  readonly atMs: number
  readonly processed: number
  readonly rejected: number
}

/** One sample every five seconds is precise enough for counts of the last minutes. */
const spacingMs = 5000

/**
 * Converts growing totals to counts of the last minutes. Its memory is limited: at most one sample every five seconds.
 */
export class RecentMeter {
  readonly #samples: Sample[]
  readonly #windowMs: number

  /**
   * @param nowMs - By a monotonic clock, as in all calls.
   * @param windowMs - The length of the counted interval.
   */
  constructor(nowMs: number, windowMs: number) {
    this.#windowMs = windowMs
    this.#samples = [{ atMs: nowMs, processed: 0, rejected: 0 }]
  }

  /** @param counts - Totals since the start. */
  recent(counts: { readonly processed: number; readonly rejected: number }, nowMs: number): RecentCounts {
    const samples = this.#samples
    // The oldest sample that is kept is the last one that is at least a whole interval old.
    while (samples[1] !== undefined && nowMs - samples[1].atMs >= this.#windowMs) samples.shift()
    const oldest = samples[0] ?? { atMs: nowMs, ...counts }
    if (nowMs - (samples.at(-1)?.atMs ?? nowMs) >= spacingMs) samples.push({ atMs: nowMs, ...counts })
    return {
      seconds: Math.round((nowMs - oldest.atMs) / 100) / 10,
      processed: counts.processed - oldest.processed,
      rejected: counts.rejected - oldest.rejected,
    }
  }
}
