import type { KafkaCluster } from '../../../src/kafka/client/cluster.ts'
import { Producer } from '../../../src/kafka/produce/producer.ts'
import { MessageBatch } from '../../../src/kafka/records/message-batch.ts'
import { type MessageKey, messageKey, partitionOf } from '../../../src/kafka/records/message-key.ts'
import type { Database } from '../../../src/store/client/connection.ts'
import { silentLog } from './pipeline.ts'

/** A made-up trade; prices and volume as integers scaled by 10^8. */
export interface Trade {
  readonly symbol: string
  readonly timestampMs: number
  readonly close: bigint
  readonly volume: bigint
}

/** Where the topic has it. */
export interface Placed extends Trade {
  readonly partition: number
  readonly offset: number
}

const minuteMs = 60_000
/** 2026-02-14T14:30:00Z */
export const marketOpenMs = 1_771_079_400_000

/** Trades of half an hour in time order; the same for a seed. Many share a millisecond. */
export function makeTrades(options: { seed: number; count: number; symbols: readonly string[] }): Trade[] {
  const random = mulberry32(options.seed)
  return Array.from({ length: options.count }, (_, index) => ({
    symbol: options.symbols[Math.floor(random() * options.symbols.length)] ?? 'AAPL',
    timestampMs: marketOpenMs + Math.floor((index / options.count) * 30 * minuteMs),
    close: BigInt(Math.floor(random() * 1e12)) + 1n,
    volume: BigInt(Math.floor(random() * 1e13)),
  }))
}

/** https://github.com/bryc/code/blob/master/jshash/PRNGs.md: 32 bits of state are enough to make test data. */
function mulberry32(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

export function shuffled<T>(items: readonly T[], seed: number): T[] {
  const random = mulberry32(seed)
  const result = [...items]
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const [a, b] = [result[i] as T, result[j] as T]
    result[i] = b
    result[j] = a
  }
  return result
}

function decimalText(scaled: bigint): string {
  const digits = (scaled < 0n ? -scaled : scaled).toString().padStart(9, '0')
  return `${scaled < 0n ? '-' : ''}${digits.slice(0, -8)}.${digits.slice(-8)}`
}

export function messageText({ symbol, timestampMs, close, volume }: Trade): string {
  const price = decimalText(close)
  return `{"symbol":"${symbol}","timestamp":"${new Date(timestampMs).toISOString()}","close":${price},"volume":${decimalText(volume)}}`
}

/** Sends values to a topic, keyed by symbol, and returns when all are acknowledged. */
export async function send(
  cluster: KafkaCluster,
  topic: string,
  values: readonly { symbol: string; value: string | Buffer }[],
): Promise<void> {
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => undefined)
  const producer = new Producer({ cluster, topic, log: silentLog, onFailure: failure.reject })
  await producer.start()
  const { signal } = new AbortController()
  const batch = new MessageBatch({ maxMessages: 1000, maxBytes: 1024 * 1024 })
  const keys = new Map<string, MessageKey>()
  const work = async () => {
    for (let at = 0; at < values.length; at += 1000) {
      batch.clear()
      for (const { symbol, value } of values.slice(at, at + 1000)) {
        const bytes = Buffer.from(value)
        const start = batch.reserve(bytes.length)
        bytes.copy(batch.bytes, start)
        const key = keys.get(symbol) ?? messageKey(symbol)
        keys.set(symbol, key)
        batch.commit(key, start + bytes.length)
      }
      await producer.append(batch, Date.now(), signal)
    }
    await producer.flush(signal)
  }
  await Promise.race([work(), failure.promise])
  producer.stop()
}

/** Sends trades to an empty topic. @returns Them with their places in it. */
export async function sendTrades(
  cluster: KafkaCluster,
  topic: string,
  partitions: number,
  trades: readonly Trade[],
): Promise<Placed[]> {
  await send(
    cluster,
    topic,
    trades.map((trade) => ({ symbol: trade.symbol, value: messageText(trade) })),
  )
  return place(trades, partitions)
}

/** Where trades stand in a topic that held nothing before. */
export function place(trades: readonly Trade[], partitions: number, nextOffsets: number[] = []): Placed[] {
  return trades.map((trade) => {
    const partition = partitionOf(messageKey(trade.symbol), partitions)
    const offset = nextOffsets[partition] ?? 0
    nextOffsets[partition] = offset + 1
    return { ...trade, partition, offset }
  })
}

export interface RowText {
  readonly symbol: string
  readonly start: number
  readonly n: number
  readonly sum: string
  readonly sumSq: string
  readonly sumCv: string
  readonly volume: string
  readonly min: string
  readonly max: string
  readonly open: string
  readonly close: string
  readonly late: number
}

const windowMs = 300_000

/**
 * The rows that trades come to, computed the plain way. Lateness is the default of two minutes.
 *
 * @param placed - Those of one partition in the order in which they are counted.
 */
export function expectedRows(placed: readonly Placed[]): RowText[] {
  const windows = new Map<string, Placed[]>()
  for (const trade of placed) {
    const key = `${trade.symbol} ${trade.timestampMs - (trade.timestampMs % windowMs)}`
    windows.set(key, [...(windows.get(key) ?? []), trade])
  }
  const late = lateOnes(placed)
  return [...windows].map(([key, trades]) => rowText(key, trades, late)).sort(byKey)
}

function rowText(key: string, trades: readonly Placed[], late: ReadonlySet<Placed>): RowText {
  const [symbol = '', start = ''] = key.split(' ')
  const ordered = [...trades].sort(
    (a, b) => a.timestampMs - b.timestampMs || a.partition - b.partition || a.offset - b.offset,
  )
  const closes = trades.map((trade) => trade.close)
  const sum = (of: (trade: Placed) => bigint) => trades.reduce((total, trade) => total + of(trade), 0n)
  return {
    symbol,
    start: Number(start),
    n: trades.length,
    sum: decimalText(sum((t) => t.close)),
    sumSq: sum((t) => t.close * t.close).toString(),
    sumCv: sum((t) => t.close * t.volume).toString(),
    volume: decimalText(sum((t) => t.volume)),
    min: decimalText(closes.sort(ascending)[0] ?? 0n),
    max: decimalText(closes.sort(ascending).at(-1) ?? 0n),
    open: decimalText(ordered[0]?.close ?? 0n),
    close: decimalText(ordered.at(-1)?.close ?? 0n),
    late: trades.filter((trade) => late.has(trade)).length,
  }
}

function lateOnes(placed: readonly Placed[]): Set<Placed> {
  const late = new Set<Placed>()
  const watermarks = new Map<number, number>()
  for (const trade of [...placed].sort((a, b) => a.partition - b.partition)) {
    const watermark = watermarks.get(trade.partition) ?? -1
    const end = trade.timestampMs - (trade.timestampMs % windowMs) + windowMs
    if (watermark > end + 120_000) late.add(trade)
    watermarks.set(trade.partition, Math.max(watermark, trade.timestampMs))
  }
  return late
}

/** The rows that stand in the table, in the same form. */
export async function tableRows(database: Database): Promise<RowText[]> {
  const rows = await database.query<RowText>({
    text: `SELECT symbol, (extract(epoch FROM window_start) * 1000)::bigint AS start, trade_count AS n,
        sum_close::text AS sum, (sum_close_sq * 1e16)::numeric(60, 0)::text AS "sumSq",
        (sum_close_volume * 1e16)::numeric(60, 0)::text AS "sumCv", total_volume::text AS volume,
        min_close::text AS min, max_close::text AS max, open_price::text AS open, close_price::text AS close,
        late_count AS late
      FROM kpi_market_prices`,
  })
  return rows.sort(byKey)
}

function byKey(a: RowText, b: RowText): number {
  return a.symbol < b.symbol ? -1 : a.symbol > b.symbol ? 1 : a.start - b.start
}

/** Every partition's counters, and that they add up with the rows (invariant 1). */
export async function countersOf(
  database: Database,
): Promise<{ merged: number; rejected: number; without: number; positions: number[] }> {
  const rows = await database.query<{ merged: number; rejected: number; without: number; position: number }>({
    text: `SELECT merged, rejected, without_message AS without, next_offset AS position
      FROM kpi_consumer_offsets ORDER BY partition`,
  })
  const total = (of: (row: (typeof rows)[number]) => number) => rows.reduce((sum, row) => sum + of(row), 0)
  const positions = rows.map((row) => row.position)
  return {
    merged: total((r) => r.merged),
    rejected: total((r) => r.rejected),
    without: total((r) => r.without),
    positions,
  }
}

function ascending(a: bigint, b: bigint): number {
  return Number(a > b) - Number(a < b)
}
