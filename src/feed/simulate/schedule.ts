/**
 * Decides when messages are due: evenly at a rate, or as fast as they are taken, with pauses.
 *
 * The n-th message (from 0) is due n / rate after the start, counting only the time outside pauses. If a feed was
 * delayed (broker unavailable, machine asleep), it catches up on one second at most and moves the rest of the
 * schedule, so that the timestamps stay current. The same happens when the clock is set back.
 */
export interface Schedule {
  /** How many messages are due now, up to a maximum. */
  dueCount(nowMs: number, most: number): number
  /** Takes the next message. @returns When it is due, in milliseconds since the Unix epoch. */
  take(nowMs: number): number
  /** How long to sleep when nothing is due. */
  sleepMs(nowMs: number): number
}

export interface ScheduleOptions {
  /** Infinity means as fast as they are taken. */
  readonly ratePerSecond: number
  /** A pause starts after this much time without one; Infinity for no pauses. */
  readonly pauseEveryMs: number
  readonly pauseForMs: number
}

export function createSchedule(options: ScheduleOptions, startMs: number): Schedule {
  return Number.isFinite(options.ratePerSecond)
    ? new EvenSchedule(options, startMs)
    : new UnboundedSchedule(options, startMs)
}

const maxCatchUpMs = 1000
/** Messages due within this time are sent together, because a timer per message would cost more than the message. */
const groupMs = 10

class EvenSchedule implements Schedule {
  readonly #msPerMessage: number
  readonly #pauseEveryMs: number
  readonly #pauseForMs: number
  #startMs: number
  #sent = 0

  constructor(options: ScheduleOptions, startMs: number) {
    this.#msPerMessage = 1000 / options.ratePerSecond
    this.#pauseEveryMs = options.pauseEveryMs
    this.#pauseForMs = options.pauseForMs
    this.#startMs = startMs
  }

  dueCount(nowMs: number, most: number): number {
    this.#keepNear(nowMs)
    const due = this.#countUntil(nowMs - this.#startMs) - this.#sent
    return Math.min(most, Math.max(0, due))
  }

  take(): number {
    const dueMs = this.#nextDueMs()
    this.#sent += 1
    return dueMs
  }

  sleepMs(nowMs: number): number {
    return Math.max(groupMs, this.#nextDueMs() - nowMs)
  }

  #keepNear(nowMs: number): void {
    const behindMs = nowMs - this.#nextDueMs()
    const longestWaitMs = this.#msPerMessage + this.#pauseForMs + maxCatchUpMs
    if (behindMs > maxCatchUpMs) this.#startMs += behindMs - maxCatchUpMs
    else if (-behindMs > longestWaitMs) this.#startMs += behindMs + longestWaitMs
  }

  #nextDueMs(): number {
    const activeMs = this.#sent * this.#msPerMessage
    const pauses = Number.isFinite(this.#pauseEveryMs) ? Math.floor(activeMs / this.#pauseEveryMs) : 0
    return this.#startMs + activeMs + pauses * this.#pauseForMs
  }

  /** How many messages are due until a time since the start: one at 0, then one per interval outside pauses. */
  #countUntil(elapsedMs: number): number {
    if (elapsedMs < 0) return 0
    if (!Number.isFinite(this.#pauseEveryMs)) return Math.floor(elapsedMs / this.#msPerMessage + slack) + 1
    const periodMs = this.#pauseEveryMs + this.#pauseForMs
    const periods = Math.floor(elapsedMs / periodMs)
    const inPeriodMs = elapsedMs - periods * periodMs
    // A message due exactly at the end of an active period is sent after the pause.
    if (inPeriodMs >= this.#pauseEveryMs) {
      return Math.ceil(((periods + 1) * this.#pauseEveryMs) / this.#msPerMessage - slack)
    }
    return Math.floor((periods * this.#pauseEveryMs + inPeriodMs) / this.#msPerMessage + slack) + 1
  }
}

/** In messages. Without it, floating-point errors could send a message one wake-up late. */
const slack = 1e-6

class UnboundedSchedule implements Schedule {
  readonly #options: ScheduleOptions
  readonly #startMs: number

  constructor(options: ScheduleOptions, startMs: number) {
    this.#options = options
    this.#startMs = startMs
  }

  dueCount(nowMs: number, most: number): number {
    return this.#pauseLeftMs(nowMs) > 0 ? 0 : most
  }

  take(nowMs: number): number {
    return nowMs
  }

  sleepMs(nowMs: number): number {
    return this.#pauseLeftMs(nowMs)
  }

  #pauseLeftMs(nowMs: number): number {
    const { pauseEveryMs, pauseForMs } = this.#options
    if (!Number.isFinite(pauseEveryMs)) return 0
    const inPeriodMs = (nowMs - this.#startMs) % (pauseEveryMs + pauseForMs)
    return inPeriodMs < pauseEveryMs ? 0 : pauseEveryMs + pauseForMs - inPeriodMs
  }
}
