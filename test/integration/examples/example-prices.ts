import { KafkaCluster } from '../../../src/kafka/client/cluster.ts'
import type { Endpoints } from '../../../src/stack/endpoints.ts'
import { messageText, send } from '../scenes/market.ts'
import { until } from '../scenes/until.ts'
import { query } from '../scenes/up-process.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

interface Price {
  readonly symbol: string
  readonly timestampMs: number
  readonly close: number
  readonly volume: number
}

const scaled = (value: number) => BigInt(Math.round(value * 1e8))

/**
 * Two windows of one hour, of unequal weight: the average close is 101.375 and the VWAP 101.4375. The average of the
 * windows' averages would be 101.4167.
 */
export async function sendHour(endpoints: Endpoints, symbol: string): Promise<void> {
  const hour = Math.floor((Date.now() - 2 * hourMs) / hourMs) * hourMs
  await sendPrices(endpoints, [
    { symbol, timestampMs: hour + minuteMs, close: 100, volume: 1 },
    { symbol, timestampMs: hour + 2 * minuteMs, close: 103, volume: 1 },
    { symbol, timestampMs: hour + 3 * minuteMs, close: 101, volume: 2 },
    { symbol, timestampMs: hour + 6 * minuteMs, close: 101.5, volume: 12 },
  ])
  await untilRows(endpoints, { [symbol]: 4 })
}

/** One finding for each rule of examples/own-alerts, among prices that none of them finds. */
export async function sendForAlerts(endpoints: Endpoints): Promise<void> {
  const now = Date.now()
  const ago = (minutes: number) => now - minutes * minuteMs
  const prices = [
    { symbol: 'MOVER', timestampMs: ago(8), close: 100, volume: 10 },
    { symbol: 'MOVER', timestampMs: now, close: 110, volume: 10 },
    { symbol: 'BTC/USD', timestampMs: ago(40), close: 100, volume: 10 },
    { symbol: 'BTC/USD', timestampMs: ago(30), close: 115, volume: 10 },
    { symbol: 'THINCO', timestampMs: ago(5), close: 100, volume: 10 },
    { symbol: 'SPIKE', timestampMs: ago(60), close: 100, volume: 10 },
    { symbol: 'SPIKE', timestampMs: ago(50), close: 100, volume: 30 },
    { symbol: 'SPIKE', timestampMs: now, close: 100, volume: 500 },
  ]
  const invalid = 3
  await sendPrices(endpoints, prices, invalid)
  await untilRows(endpoints, { MOVER: 2, 'BTC/USD': 2, THINCO: 1, SPIKE: 3 })
  const rejected = () => query(endpoints.postgresReader ?? '', 'SELECT message_offset FROM dead_letters')
  await until('the invalid ones rejected', rejected, ({ length }) => length === invalid)
}

/** Waits until all messages of these symbols are in the rows. */
export async function untilRows(endpoints: Endpoints, wanted: Readonly<Record<string, number>>): Promise<void> {
  const text = 'SELECT symbol, sum(trade_count)::float8 AS count FROM kpi_windows GROUP BY symbol'
  const counts = async () => {
    const rows = await query<{ symbol: string; count: number }>(endpoints.postgresReader ?? '', text)
    return Object.fromEntries(rows.map(({ symbol, count }) => [symbol, count]))
  }
  await until('all in the rows', counts, (found) => Object.entries(wanted).every(([name, n]) => found[name] === n))
}

async function sendPrices({ kafka, topic }: Endpoints, prices: readonly Price[], invalid = 0): Promise<void> {
  const cluster = new KafkaCluster({ bootstrap: [kafka], clientId: 'market-kpi-test' })
  const texts = prices.map(({ symbol, timestampMs, close, volume }) => {
    return { symbol, value: messageText({ symbol, timestampMs, close: scaled(close), volume: scaled(volume) }) }
  })
  const others = Array.from({ length: invalid }, () => ({ symbol: 'INVALID', value: 'no JSON' }))
  try {
    await send(cluster, topic, [...texts, ...others])
  } finally {
    await cluster.close()
  }
}
