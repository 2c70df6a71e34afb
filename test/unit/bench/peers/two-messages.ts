import { PlainWindows } from '../../../../src/verify/plain-windows.ts'

const startUs = 600e6

/** One window of two messages: closes 1.5 and 2.5, volumes 2 and 4, or none. */
export function windowOfTwo({ volumes = [2n, 4n] }: { volumes?: readonly [bigint, bigint] } = {}) {
  const windows = new PlainWindows({ windowSeconds: 300, range: {}, maxWindows: 10 })
  const scaled = (value: bigint) => value * 100_000_000n
  const message = (timestampUs: number, close: bigint, volume: bigint) => ({
    ...{ symbol: 'A', timestampUs, open: close, high: close, low: close, close, volume: scaled(volume) },
  })
  windows.add(message(startUs + 1, 150_000_000n, volumes[0]), { partition: 0, offset: 7 }, false)
  windows.add(message(startUs + 2, 250_000_000n, volumes[1]), { partition: 0, offset: 8 }, false)
  return windows.windows
}

/** What a contender has to make of it. */
export const peerRow = {
  symbol: 'A',
  startUs,
  avg_close: 2,
  min_close: 1.5,
  max_close: 2.5,
  vwap: 13 / 6,
  price_range: 1,
  total_volume: 6,
  message_count: 2,
} as const

/** What market-kpi has to make of it, as PostgreSQL writes it. */
export const ownRow = {
  symbol: 'A',
  window_start: '600000000',
  window_end: '900000000',
  trade_count: '2',
  min_close: '1.5',
  max_close: '2.5',
  total_volume: '6',
  open_price: '1.50000000',
  high_price: '2.5',
  low_price: '1.5',
  close_price: '2.5',
  first_event_at: '600000001',
  last_event_at: '600000002',
  late_count: '0',
  avg_close: '2.0000000000000000',
  vwap: '2.1666666666666667',
  price_volatility: '1',
  close_stddev: '0.5',
  sum_close: '4',
  sum_close_sq: '8.5',
  sum_close_volume: '13',
  first_partition: '0',
  first_offset: '7',
  last_partition: '0',
  last_offset: '8',
} as const
