import type { LogRecord } from '../kafka/log/log-reader.ts'
import { maxKeptBytes, storableTimestampMs } from '../kpi/dead-letter-limits.ts'
import { MessageDecoder, type RejectReason } from '../kpi/decode/message.ts'
import { PrecisionLosses, type SymbolLoss } from '../kpi/precision-losses.ts'
import { type PartialRow, Reducer } from '../kpi/reducer.ts'
import { windowStartUs } from '../kpi/window.ts'
import type { RebuiltLetter } from '../store/rebuild/dead-letters.ts'
import type { WindowFilter } from '../store/windows/verify-snapshot.ts'

/** Under which definition messages are read, and under which they were. */
export interface ReductionRules {
  readonly windowSeconds: number
  readonly allowedLatenessSeconds: number
  readonly maxFutureSeconds: number
  readonly decimals: number
}

export interface LogReductionOptions {
  readonly rules: ReductionRules
  readonly rulesBefore: ReductionRules
  /** Windows outside it are not kept. */
  readonly filter: WindowFilter
  /** Dead letters whose payload is stored; the log has the payload of the others. */
  readonly maxPayloads: number
  /** Whether rejected messages are kept. */
  readonly keepsLetters: boolean
  /** Wall clock in milliseconds, for records without a timestamp. */
  readonly now: () => number
}

/** The result for one message. */
export interface Verdict {
  readonly isAccepted: boolean
  readonly wasAccepted: boolean
  /** NaN when it is not accepted and was not. */
  readonly timestampUs: number
}

/** More rows or dead letters than this are written out; each is a few hundred bytes. */
const fullRows = 20_000
const fullLetters = 5_000

/** Reasons that depend on the rules: how far ahead a time may be, and what a number is after rounding. */
const decidedByRules: ReadonlySet<RejectReason> = new Set(['future_timestamp', 'bad_number', 'negative_volume'])

/** Decodes and reduces messages of the log as a worker does, and compares with how they were taken before. */
export class LogReduction {
  readonly #options: LogReductionOptions
  readonly #decoder: MessageDecoder
  /** Only where it may decide otherwise. */
  readonly #decoderBefore: MessageDecoder | undefined
  readonly #reducer: Reducer
  readonly #symbols: ReadonlySet<string> | undefined
  readonly #windowUs: number
  readonly #losses = new PrecisionLosses()
  #letters: RebuiltLetter[] = []
  #payloads = 0
  /** The earliest message that is accepted and was not, or the reverse; microseconds. */
  earliestFlipUs = Number.POSITIVE_INFINITY

  constructor(options: LogReductionOptions) {
    const { rules, rulesBefore, filter } = options
    this.#options = options
    this.#decoder = new MessageDecoder({ ...rules, onPrecisionLost: (loss) => this.#losses.add(loss) })
    const isSame = rules.maxFutureSeconds === rulesBefore.maxFutureSeconds && rules.decimals === rulesBefore.decimals
    this.#decoderBefore = isSame ? undefined : new MessageDecoder(rulesBefore)
    this.#reducer = new Reducer(rules)
    this.#symbols = filter.symbols && new Set(filter.symbols)
    this.#windowUs = rules.windowSeconds * 1e6
  }

  /** By symbol, messages of which rounding changed a number by more than one ten-thousandth. */
  get precisionLost(): readonly SymbolLoss[] {
    return this.#losses.symbols
  }

  get isFull(): boolean {
    return this.#reducer.rowCount >= fullRows || this.#letters.length >= fullLetters
  }

  /** @param watermarkUs - The highest accepted timestamp at lower offsets of the partition; −1 for none. */
  add(record: LogRecord, partition: number, watermarkUs: number): Verdict {
    const { value, offset, timestampMs } = record
    const referenceMs = timestampMs >= 0 ? timestampMs : this.#options.now()
    const bytes = value ?? empty
    const [start, end] = value === null ? [-1, -1] : [0, value.length]
    const decoder = this.#decoder
    const reason = decoder.decode(bytes, start, end, referenceMs)
    const isAccepted = reason === undefined
    const before = isAccepted || decidedByRules.has(reason) ? this.#decoderBefore : undefined
    const wasAccepted = before ? before.decode(bytes, start, end, referenceMs) === undefined : isAccepted
    const timestampUs = isAccepted
      ? decoder.timestampUs
      : wasAccepted
        ? (before?.timestampUs ?? Number.NaN)
        : Number.NaN
    if (isAccepted !== wasAccepted) this.earliestFlipUs = Math.min(this.earliestFlipUs, timestampUs)
    if (isAccepted && this.#isWanted(timestampUs)) this.#reducer.add(decoder, partition, offset, watermarkUs)
    if (!(isAccepted && wasAccepted)) this.#keepLetter(record, partition, reason ?? null, !wasAccepted)
    return { isAccepted, wasAccepted, timestampUs }
  }

  /** The value with which a rejected message was retried. @returns Whether it is accepted. */
  addRetried(message: {
    partition: number
    offset: number
    payload: Buffer
    messageAtUs: number | null
    isLate: boolean
  }): boolean {
    const { partition, offset, payload, messageAtUs, isLate } = message
    const referenceMs = messageAtUs === null ? Number.MAX_SAFE_INTEGER : messageAtUs / 1000
    if (this.#decoder.decode(payload, 0, payload.length, referenceMs) !== undefined) return false
    // What the watermark was when it was retried is not known any more; whether it was late is.
    const watermarkUs = isLate ? Number.MAX_SAFE_INTEGER : -1
    if (this.#isWanted(this.#decoder.timestampUs)) this.#reducer.add(this.#decoder, partition, offset, watermarkUs)
    return true
  }

  takeRows(): PartialRow[] {
    const rows = this.#reducer.take()
    const symbols = this.#symbols
    return symbols ? rows.filter(({ symbol }) => symbols.has(symbol)) : rows
  }

  takeLetters(): RebuiltLetter[] {
    const letters = this.#letters
    this.#letters = []
    return letters
  }

  #isWanted(timestampUs: number): boolean {
    const { fromUs = 0, toUs = Number.POSITIVE_INFINITY } = this.#options.filter
    const startUs = windowStartUs(timestampUs, this.#windowUs)
    return startUs >= fromUs && startUs < toUs
  }

  #keepLetter(record: LogRecord, partition: number, reason: string | null, wasRejected: boolean): void {
    const { keepsLetters, maxPayloads } = this.#options
    if (!keepsLetters) return
    const { value, offset, timestampMs } = record
    // Only a new dead letter may be stored without its payload.
    const keepsPayload = reason !== null && !wasRejected && value !== null && this.#payloads < maxPayloads
    if (keepsPayload) this.#payloads += 1
    this.#letters.push({
      partition,
      offset,
      reason,
      wasRejected,
      detail: reason === null ? null : this.#decoder.detail,
      payload: keepsPayload ? Buffer.from(value.subarray(0, maxKeptBytes)) : null,
      timestampMs: storableTimestampMs(timestampMs),
    })
  }
}

const empty = Buffer.alloc(0)
