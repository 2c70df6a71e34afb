import { bothLosses, remedyText, type SymbolLoss } from '../kpi/precision-losses.ts'
import type { Logger } from '../log.ts'
import type { Clock } from '../runtime/clock.ts'
import type { TakenBatch } from './pending-batch.ts'

/** How long a symbol is reported after its last number that lost precision, and how often it is logged. */
const keptMs = 3_600_000
/**
 * The maximum number of symbols that are reported, and logged within `keptMs`; beyond it, one warning says that there
 * are more.
 */
const maxSymbols = 20

interface Kept {
  readonly loss: SymbolLoss
  readonly lastAtMs: number
}

/**
 * Tracks numbers that lost precision when they were rounded to `DECIMALS` digits, in the batches that a worker
 * committed.
 */
export class PrecisionWatch {
  readonly #log: Logger
  readonly #clock: Clock
  readonly #decimals: number
  readonly #recent = new Map<string, Kept>()
  #messages = 0

  constructor(options: { log: Logger; clock: Clock; decimals: number }) {
    this.#log = options.log
    this.#clock = options.clock
    this.#decimals = options.decimals
  }

  /** Since the start. */
  get messages(): number {
    return this.#messages
  }

  /**
   * The symbols of the last hour, those with most messages first. A symbol's count starts at its first such message.
   */
  get recent(): readonly SymbolLoss[] {
    this.#forgetOld()
    const losses = [...this.#recent.values()].map(({ loss }) => loss)
    return losses.sort((a, b) => b.messages - a.messages).slice(0, maxSymbols)
  }

  committed({ messages, symbols }: TakenBatch['losses']): void {
    if (messages === 0) return
    this.#messages += messages
    this.#forgetOld()
    for (const loss of symbols) this.#note(loss)
  }

  #note(loss: SymbolLoss): void {
    const known = this.#recent.get(loss.symbol)
    this.#recent.set(loss.symbol, {
      loss: known ? bothLosses(known.loss, loss) : loss,
      lastAtMs: this.#clock.now(),
    })
    if (known !== undefined || this.#recent.size > maxSymbols + 1) return
    if (this.#recent.size > maxSymbols) {
      this.#log.warn(`numbers of more than ${maxSymbols} symbols lose precision: see 'market-kpi alerts check'`)
      return
    }
    const { symbol, field, text } = loss
    this.#log.warn(
      `${field} ${text} of ${symbol} is rounded to ${this.#decimals} fractional digits, which changes it by more than ` +
        `one ten-thousandth: ${remedyText(loss)} ('market-kpi rebuild --all' changes DECIMALS of a database)`,
    )
  }

  #forgetOld(): void {
    const beforeMs = this.#clock.now() - keptMs
    for (const [symbol, { lastAtMs }] of this.#recent) if (lastAtMs < beforeMs) this.#recent.delete(symbol)
  }
}
