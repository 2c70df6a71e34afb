import { maxKeptBytes, storableTimestampMs } from '../kpi/dead-letter-limits.ts'
import type { DeadLetter } from '../store/windows/commit.ts'

/**
 * Rejected messages of the pending batch. Only a limited number of them per minute keep their bytes, so that a broken
 * feed cannot fill the database; the messages are still in the log.
 */
export class DeadLetterBuffer {
  readonly #payloadsPerMinute: number
  readonly #now: () => number
  #minute = -1
  #payloadsThisMinute = 0
  #letters: DeadLetter[] = []
  #bytes = 0

  /** @param options.now - Milliseconds, from a monotonic or a wall clock. */
  constructor(options: { payloadsPerMinute: number; now: () => number }) {
    this.#payloadsPerMinute = options.payloadsPerMinute
    this.#now = options.now
  }

  get count(): number {
    return this.#letters.length
  }

  /** The size of the kept payloads and keys. */
  get bytes(): number {
    return this.#bytes
  }

  /** Adds a rejected message; copies the bytes that it keeps. A start below 0 means null. */
  add(
    letter: Pick<DeadLetter, 'partition' | 'offset' | 'reason' | 'detail'> & { timestampMs: number },
    buffer: Buffer,
    value: { start: number; end: number },
    key: { start: number; end: number },
  ): void {
    const { partition, offset, reason, detail, timestampMs } = letter
    const payload = this.#mayKeepPayload() ? copyOf(buffer, value) : null
    const keyBytes = copyOf(buffer, key)
    this.#bytes += (payload?.length ?? 0) + (keyBytes?.length ?? 0)
    this.#letters.push({
      partition,
      offset,
      reason,
      detail,
      payload,
      key: keyBytes,
      timestampMs: storableTimestampMs(timestampMs),
    })
  }

  take(): DeadLetter[] {
    const letters = this.#letters
    this.#letters = []
    this.#bytes = 0
    return letters
  }

  #mayKeepPayload(): boolean {
    const minute = Math.floor(this.#now() / 60_000)
    if (minute !== this.#minute) {
      this.#minute = minute
      this.#payloadsThisMinute = 0
    }
    this.#payloadsThisMinute += 1
    return this.#payloadsThisMinute <= this.#payloadsPerMinute
  }
}

function copyOf(buffer: Buffer, range: { start: number; end: number }): Buffer | null {
  if (range.start < 0) return null
  return Buffer.from(buffer.subarray(range.start, Math.min(range.end, range.start + maxKeptBytes)))
}
