import { maxKeptBytes, storableTimestampMs } from '../kpi/dead-letter-limits.ts'
import type { DeadLetter } from '../store/windows/commit.ts'

/**
 * Rejected messages of the pending batch. In a flood only the first so many a minute keep their bytes: the log has them
 * all the same, and a database must not be filled by somebody's broken feed.
 */
export class DeadLetterBuffer {
  readonly #payloadsPerMinute: number
  readonly #now: () => number
  #minute = -1
  #payloadsThisMinute = 0
  #letters: DeadLetter[] = []
  #bytes = 0

  /** @param options.now - Milliseconds, monotonic or not. */
  constructor(options: { payloadsPerMinute: number; now: () => number }) {
    this.#payloadsPerMinute = options.payloadsPerMinute
    this.#now = options.now
  }

  get count(): number {
    return this.#letters.length
  }

  /** Of payloads and keys. */
  get bytes(): number {
    return this.#bytes
  }

  /** Takes a rejected message in; copies what it keeps of it. A start below 0 is a null. */
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
