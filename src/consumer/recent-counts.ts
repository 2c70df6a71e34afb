/** What a worker counted lately: `seconds` is how far back it goes. */
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

/** One every five seconds is enough to say what the last minutes were. */
const spacingMs = 5000

/** Turns counts that grow into counts of the last minutes. Bounded: a sample every five seconds at most. */
export class RecentMeter {
  readonly #samples: Sample[]
  readonly #windowMs: number

  /**
   * @param nowMs - Monotonic, as in all calls.
   * @param windowMs - How far back it counts.
   */
  constructor(nowMs: number, windowMs: number) {
    this.#windowMs = windowMs
    this.#samples = [{ atMs: nowMs, processed: 0, rejected: 0 }]
  }

  /** @param counts - Since the start. */
  recent(counts: { readonly processed: number; readonly rejected: number }, nowMs: number): RecentCounts {
    const samples = this.#samples
    // The oldest one kept is the last that is a whole window old.
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
