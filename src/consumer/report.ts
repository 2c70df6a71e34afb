/** What `consume` reports, with the names used in its line; counts are of committed messages. */
export interface Report {
  readonly messages_processed: number
  readonly batches_written: number
  /** Rejected messages. */
  readonly errors: number
  readonly elapsed_seconds: number
  readonly throughput_msg_per_sec: number
}

/** `name=value …`, readable by people and grep. */
export function reportLine(report: Report): string {
  return Object.entries(report)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')
}

/** Converts growing totals to reports: totals, and the throughput since the previous report. */
export class ReportMeter {
  readonly #startedAtMs: number
  #lastAtMs: number
  #lastMessages = 0

  /** @param nowMs - By a monotonic clock, as in all calls. */
  constructor(nowMs: number) {
    this.#startedAtMs = nowMs
    this.#lastAtMs = nowMs
  }

  /** The report since the previous one. */
  interval(counts: ReportCounts, nowMs: number): Report {
    const messages = counts.merged + counts.rejected
    const throughput = perSecond(messages - this.#lastMessages, nowMs - this.#lastAtMs)
    this.#lastAtMs = nowMs
    this.#lastMessages = messages
    return this.#report(counts, nowMs, throughput)
  }

  /** The report since the start. */
  total(counts: ReportCounts, nowMs: number): Report {
    return this.#report(counts, nowMs, perSecond(counts.merged + counts.rejected, nowMs - this.#startedAtMs))
  }

  #report(counts: ReportCounts, nowMs: number, throughput: number): Report {
    return {
      messages_processed: counts.merged + counts.rejected,
      batches_written: counts.batches,
      errors: counts.rejected,
      elapsed_seconds: Math.round((nowMs - this.#startedAtMs) / 100) / 10,
      throughput_msg_per_sec: throughput,
    }
  }
}

export interface ReportCounts {
  readonly merged: number
  readonly rejected: number
  readonly batches: number
}

function perSecond(count: number, ms: number): number {
  return ms > 0 ? Math.round((count / ms) * 10_000) / 10 : 0
}
