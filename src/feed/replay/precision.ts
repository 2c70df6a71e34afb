import type { PrecisionLoss } from '../../kpi/decode/message.ts'
import { mostDecimals } from '../../kpi/precision.ts'

/** Limits memory for a file in which every line has a new symbol. */
const mostTold = 65_536

/** Warns once per symbol that the database will round its numbers, and names the setting that avoids this. */
export class PrecisionWatch {
  readonly #decimals: number
  readonly #report: (text: string) => void
  readonly #told = new Set<string>()
  /**
   * Losses to report at the next flush. They wait some lines, because another value of the symbol may have more
   * digits.
   */
  readonly #found = new Map<string, PrecisionLoss>()

  /** @param options.decimals - Fractional digits that the database stores. */
  constructor(options: { decimals: number; report: (text: string) => void }) {
    this.#decimals = options.decimals
    this.#report = options.report
  }

  /** Records a number that rounding changes by more than one ten-thousandth. */
  note(loss: PrecisionLoss): void {
    if (this.#told.has(loss.symbol)) return
    const known = this.#found.get(loss.symbol)
    if (known && neededOf(known) >= neededOf(loss)) return
    this.#found.set(loss.symbol, loss)
  }

  /** Reports what was recorded since the last call. */
  flush(): void {
    for (const [symbol, { decimals, field, text }] of this.#found) {
      const advice =
        decimals === undefined
          ? `no setting of DECIMALS keeps them, the largest is ${mostDecimals}`
          : `DECIMALS=${decimals} keeps them; rebuild --all changes it`
      this.#report(`${symbol}: its ${field} ${text} has digits that DECIMALS=${this.#decimals} rounds away: ${advice}`)
      if (this.#told.size < mostTold) this.#told.add(symbol)
    }
    this.#found.clear()
  }
}

function neededOf({ decimals }: PrecisionLoss): number {
  return decimals ?? Number.POSITIVE_INFINITY
}
