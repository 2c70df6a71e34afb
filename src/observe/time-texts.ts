import type { Measures } from './measures.ts'
import { span } from './rules/rule.ts'

/**
 * `newest price 3 s old`; during a replay, how far the rows are behind it and which time it has reached. Empty if the
 * freshness is unknown.
 */
export function freshnessText({ freshnessSeconds: freshness, replay, market }: Measures): string {
  if (freshness.state === 'unknown') return ''
  if (!replay) return ofMarket(market, `newest price ${span(freshness.value)} old`)
  const at = replay.eventAtMs === null ? '' : ` at ${instantText(replay.eventAtMs)}`
  const behind = `rows ${span(freshness.value)} behind the replay`
  if (replay.state !== 'running')
    return `${behind}, which ${replay.state === 'finished' ? 'ended' : 'was stopped'}${at}`
  return `${behind}, which is${at === '' ? ' starting' : at}`
}

/** `newest message 3 s old`. Empty if it is unknown. */
export function silenceText({ feedSilenceSeconds: silence, replay, market }: Measures): string {
  if (silence.state === 'unknown') return ''
  const text = `newest message ${span(silence.value)} old`
  return replay ? text : ofMarket(market, text)
}

function ofMarket({ isOpen }: Measures['market'], text: string): string {
  return isOpen ? text : `market is closed, ${text}`
}

/** `2024-02-14 15:30:00 UTC` */
function instantText(ms: number): string {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? 'an unknown time' : `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`
}
