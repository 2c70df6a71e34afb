import { fitsPattern } from '../../config/symbol-pattern.ts'
import type { Thresholds } from '../../config/thresholds.ts'
import { openSinceMs } from '../../config/trading-hours.ts'
import { grouped } from '../../runtime/number-text.ts'
import { openSeconds } from '../measures.ts'
import type { SymbolState } from '../snapshot.ts'
import { beyond, cannotJudge, type Found, found, percentText, type Rule, type RuleScene, span } from './rule.ts'

/** R16: too large a share of the messages is rejected. */
export const errorRateHigh: Rule = ({ snapshot, measures, thresholds }) => {
  const { errorRatePercent: rate } = measures
  if (rate.state === 'unknown') return [cannotJudge('ErrorRateHigh', rate.reason)]
  const { warningPercent: warning, criticalPercent: critical } = thresholds.errorRate
  const severity = beyond(rate.value, { warning, critical })
  if (!severity) return []
  const { deadLetters } = snapshot.postgres
  const reasons = deadLetters.state === 'ok' ? topReasons(deadLetters.recentByReason) : ''
  const summary = `${percentText(rate.value)} of the messages of the last minutes were rejected${reasons}`
  return [found('ErrorRateHigh', severity, summary, { value: rate.value, unit: 'percent' })]
}

function topReasons(byReason: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(byReason).sort(([, a], [, b]) => b - a)
  const shown = sorted.slice(0, 3).map(([reason, count]) => `${reason} ${grouped(count)}`)
  return shown.length > 0 ? ` (${shown.join(', ')})` : ''
}

/** R17: many messages are rejected, whatever their share. */
export const deadLettersGrowing: Rule = ({ snapshot, thresholds }) => {
  const { deadLetters } = snapshot.postgres
  if (deadLetters.state === 'unknown') return [cannotJudge('DeadLettersGrowing', deadLetters.reason)]
  const { recentByReason, isCapped } = deadLetters
  const count = Object.values(recentByReason).reduce((sum, n) => sum + n, 0)
  if (count <= thresholds.deadLetters.warningCount) return []
  const summary = `${isCapped ? 'more than ' : ''}${grouped(count)} messages were rejected within ${span(snapshot.asked.recentSeconds)}${topReasons(recentByReason)}`
  return [found('DeadLettersGrowing', 'warning', summary, { value: count, unit: 'messages' })]
}

/**
 * R18: the newest price in the rows is old although there are newer messages. If no messages arrive, because the market
 * is quiet or the feed is silent, old rows are correct; R8 reports a silent feed.
 */
export const kpiStale: Rule = (scene) => {
  const { measures, nowMs, snapshot, thresholds } = scene
  const { freshnessSeconds: freshness, market, replay } = measures
  if (freshness.state === 'unknown') {
    const isReachable = snapshot.postgres.server.state === 'ok' && snapshot.postgres.kpi.state === 'unknown'
    return [cannotJudge('KpiStale', freshness.reason, isReachable ? 'warning' : 'info')]
  }
  if (!market.isOpen || isWithoutInput(scene)) return []
  const seconds = openSeconds(freshness.value, market.sinceMs, nowMs)
  const { warningSeconds: warning, criticalSeconds: critical } = thresholds.freshness
  const severity = beyond(seconds, { warning, critical })
  // During a replay single symbols cannot be judged: it may run faster than the market, and the table may already hold
  // newer prices.
  if (!severity) return replay ? [] : staleSymbols(scene)
  const summary = replay
    ? `the rows are ${span(seconds)} behind the replay: ${staleReason(scene)}`
    : `the newest price in the rows is ${span(seconds)} old: ${staleReason(scene)}`
  return [found('KpiStale', severity, summary, { value: seconds, unit: 's' })]
}

/** All messages are merged, and none has arrived for long. */
function isWithoutInput({ measures, thresholds }: RuleScene): boolean {
  const { feedSilenceSeconds: silence, lagMessages } = measures
  if (silence.state === 'unknown' || lagMessages.state === 'unknown') return false
  return (
    lagMessages.value === 0 &&
    silence.value > Math.min(thresholds.freshness.warningSeconds, thresholds.feedSilence.warningSeconds)
  )
}

function staleReason({ measures: { lagMessages } }: RuleScene): string {
  if (lagMessages.state === 'unknown') return lagMessages.reason
  if (lagMessages.value > 0) return `${grouped(lagMessages.value)} messages wait`
  return 'messages arrive and are read, but have old timestamps or are rejected'
}

/** At most this many findings for single symbols: if more are stale, the problem is not with single symbols. */
const maxSymbols = 50

function staleSymbols(scene: RuleScene): Found[] {
  const { symbols } = scene.snapshot.postgres
  if (symbols.state === 'unknown') return []
  return symbols.symbols.flatMap((symbol) => staleSymbol(scene, symbol)).slice(0, maxSymbols)
}

function staleSymbol({ thresholds, nowMs }: RuleScene, { symbol, newestEventAtMs }: SymbolState): Found[] {
  const openedAtMs = openSinceMs(thresholds.tradingHours, symbol, nowMs)
  const limits = limitsOf(thresholds, symbol)
  const age = Math.max(0, nowMs - newestEventAtMs) / 1000
  if (openedAtMs === undefined || !limits || age > thresholds.freshness.forgetSeconds) return []
  const seconds = openSeconds(age, Number.isFinite(openedAtMs) ? openedAtMs : null, nowMs)
  const severity = beyond(seconds, limits)
  if (!severity) return []
  const summary = `the newest price of ${symbol} is ${span(seconds)} old, while other symbols have new prices`
  const labels = { symbol }
  return [found('KpiStale', limits.isOwn ? severity : 'warning', summary, { labels, value: seconds, unit: 's' })]
}

/** A stale symbol is critical only by limits set for it: among many symbols, one is always quiet. */
function limitsOf(
  { freshness }: Thresholds,
  symbol: string,
): { warning: number; critical: number; isOwn: boolean } | undefined {
  const own = freshness.bySymbol.find(({ pattern }) => fitsPattern(pattern, symbol))?.limits ?? 'default'
  if (own === 'off') return undefined
  if (own === 'default') return { warning: freshness.warningSeconds, critical: freshness.criticalSeconds, isOwn: false }
  return { warning: own.warningSeconds, critical: own.criticalSeconds, isOwn: true }
}
