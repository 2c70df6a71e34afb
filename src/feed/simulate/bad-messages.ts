/** Messages that the pipeline must reject, one of each kind, named as in docs/message-format.md. */
export const badKinds = [
  'empty',
  'too_large',
  'not_json',
  'not_object',
  'missing_field',
  'bad_symbol',
  'bad_timestamp',
  'bad_number',
  'negative_volume',
  'future_timestamp',
] as const

export type BadKind = (typeof badKinds)[number]

/** A value over 65,536 bytes is too large. */
const tooManyBytes = 65_537
/** Further ahead than MAX_FUTURE_SECONDS allows at its maximum. */
const farFutureMs = 2 * 366 * 86_400_000

export function badValue(kind: BadKind, symbol: string, timeMs: number): string {
  const timestamp = new Date(timeMs).toISOString()
  const good = { symbol, timestamp, close: 187.18, volume: 100 }
  switch (kind) {
    case 'empty':
      return ''
    case 'too_large':
      return JSON.stringify({ ...good, note: 'x'.repeat(tooManyBytes) })
    case 'not_json':
      return `{"symbol":${JSON.stringify(symbol)},"timestamp":"${timestamp}","close":187.18,`
    case 'not_object':
      return JSON.stringify([symbol, timestamp, 187.18, 100])
    case 'missing_field':
      return JSON.stringify({ symbol, timestamp, volume: 100 })
    case 'bad_symbol':
      return JSON.stringify({ ...good, symbol: 'no symbol' })
    case 'bad_timestamp':
      return JSON.stringify({ ...good, timestamp: '14.02.2026 14:30' })
    case 'bad_number':
      return JSON.stringify({ ...good, close: '187.18' })
    case 'negative_volume':
      return JSON.stringify({ ...good, volume: -100 })
    case 'future_timestamp':
      return JSON.stringify({ ...good, timestamp: new Date(timeMs + farFutureMs).toISOString() })
  }
}
