import type { PrecisionLoss } from './decode/message.ts'

/** Messages of one symbol that lost precision when their numbers were rounded. */
export interface SymbolLoss {
  readonly symbol: string
  readonly messages: number
  /** The number that needs most digits: `close`, and as it is written in its message. */
  readonly field: string
  readonly text: string
  /** The setting of `DECIMALS` that keeps every number; undefined when none does. */
  readonly decimals?: number | undefined
}

/** Symbols that are counted separately; of further symbols only the total number of messages is known. */
const maxSymbols = 1000

/** Counts messages that lost precision, by symbol. */
export class PrecisionLosses {
  readonly #bySymbol = new Map<string, SymbolLoss>()
  #messages = 0

  /** Messages of all symbols. */
  get messages(): number {
    return this.#messages
  }

  get symbols(): readonly SymbolLoss[] {
    return [...this.#bySymbol.values()]
  }

  add(loss: PrecisionLoss): void {
    this.#messages += 1
    const known = this.#bySymbol.get(loss.symbol)
    if (known === undefined && this.#bySymbol.size >= maxSymbols) return
    const one = { ...loss, messages: 1 }
    this.#bySymbol.set(loss.symbol, known ? bothLosses(known, one) : one)
  }

  /** What was added since the last call. */
  take(): { readonly messages: number; readonly symbols: readonly SymbolLoss[] } {
    const taken = { messages: this.#messages, symbols: this.symbols }
    this.#messages = 0
    this.#bySymbol.clear()
    return taken
  }
}

/** Losses of one symbol together. */
export function bothLosses(a: SymbolLoss, b: SymbolLoss): SymbolLoss {
  const worse = (b.decimals ?? Infinity) > (a.decimals ?? Infinity) ? b : a
  return { ...worse, messages: a.messages + b.messages }
}

/** What to do about it, as part of a sentence: `DECIMALS=12 keeps it`. */
export function remedyText({ decimals }: Pick<SymbolLoss, 'decimals'>): string {
  return decimals === undefined ? 'it has more digits than any DECIMALS keeps' : `DECIMALS=${decimals} keeps it`
}
