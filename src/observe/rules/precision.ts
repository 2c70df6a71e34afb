import type { Thresholds } from '../../config/thresholds.ts'
import { bothLosses, remedyText, type SymbolLoss } from '../../kpi/precision-losses.ts'
import { grouped } from '../../runtime/number-text.ts'
import type { WorkerState } from '../snapshot.ts'
import { liveWorkers } from '../workers.ts'
import { cannotJudge, found, type Rule } from './rule.ts'

/** At most this many findings, for the symbols with most messages. */
const maxSymbols = 20

/**
 * R20: numbers have more fractional digits than `DECIMALS` keeps, and rounding changes them by more than one
 * ten-thousandth.
 */
export const precisionLost: Rule = ({ snapshot, thresholds }) => {
  const { workers } = snapshot.postgres
  if (workers.state === 'unknown') return [cannotJudge('PrecisionLost', workers.reason)]
  return recentLosses(workers.workers, thresholds).map((loss) => {
    const { symbol, messages, field, text } = loss
    const summary =
      `${grouped(messages)} ${messages === 1 ? 'message' : 'messages'} of ${symbol} lost precision: ` +
      `${field} ${text} is rounded to ${snapshot.asked.decimals} decimal places; ${remedyText(loss)}`
    return found('PrecisionLost', 'warning', summary, { labels: { symbol }, value: messages, unit: 'messages' })
  })
}

/** The losses of the last hour that running workers report, summed by symbol. */
export function recentLosses(workers: readonly WorkerState[], thresholds: Thresholds): SymbolLoss[] {
  const bySymbol = new Map<string, SymbolLoss>()
  for (const loss of liveWorkers(workers, 'consumer', thresholds).flatMap((worker) => worker.precisionLost)) {
    const known = bySymbol.get(loss.symbol)
    bySymbol.set(loss.symbol, known ? bothLosses(known, loss) : loss)
  }
  return [...bySymbol.values()].sort((a, b) => b.messages - a.messages).slice(0, maxSymbols)
}
