// What the monitor asks the database beside the observation: sums by symbol, and alerts with their silences.
import { expect, it } from 'vitest'
import { monitorAlerts } from '../../../src/services/monitor-alerts.ts'
import { postgresOptions } from '../../../src/store/client/connection.ts'
import { SymbolStatisticsReader } from '../../../src/store/windows/symbol-statistics.ts'
import { makePipeline } from '../scenes/pipeline.ts'

const { signal } = new AbortController()

/** One row a symbol and window of `$1` symbols; the windows end now, 5 min ago and 2 days ago. */
const insertRows = `
  INSERT INTO kpi_market_prices (symbol, window_start, window_end, trade_count, sum_close, sum_close_sq, sum_close_volume,
    total_volume, min_close, max_close, open_price, high_price, low_price, close_price, first_event_at, first_partition,
    first_offset, last_event_at, last_partition, last_offset, late_count)
  SELECT 'S' || lpad(s::text, 5, '0'), w.start, w.start + interval '5 min', 3, 10 * w.n, 100 * w.n * w.n, 30, 1.50, 2 * w.n, 5 * w.n,
    4 * w.n, 6, 1, 3 * w.n, w.start, 0, 0, w.start + interval '1 min', 0, 2, 0
  FROM generate_series(1, $1::int) AS s, (VALUES
    (1, now()), (2, now() - interval '5 min'), (9, now() - interval '2 days')) AS w(n, start)`

it('sums up the last day of 20,000 symbols, and leaves out what is older', async () => {
  await using pipeline = await makePipeline()
  await pipeline.owner.query({ text: insertRows, values: [20_000] })
  await pipeline.owner.query({ text: 'ANALYZE kpi_market_prices' })
  const look = await new SymbolStatisticsReader(postgresOptions(pipeline.config)).read(signal)
  expect(look).toMatchObject({ isCapped: false })
  expect(look.symbols).toHaveLength(20_000)
  expect(look.symbols[0]).toMatchObject({
    symbol: 'S00001',
    windows: 2,
    messages: 6,
    avgPrice: '5',
    minPrice: '2',
    maxPrice: '10',
    totalVolume: '3',
    firstOpen: '8',
    latestClose: '3',
  })
})

it('says that there are no rows', async () => {
  await using pipeline = await makePipeline()
  const look = await new SymbolStatisticsReader(postgresOptions(pipeline.config)).read(signal)
  expect(look).toMatchObject({ symbols: [], isCapped: false, spanSeconds: 86_400 })
})

it('shows the alerts that fire, and silences one', async () => {
  await using pipeline = await makePipeline()
  await pipeline.owner.query({
    text: `INSERT INTO alerts (id, fingerprint, rule, severity, stage, state, labels, summary, started_at, fired_at, progress)
      SELECT gen_random_uuid(), s, 'KpiStale', 'critical', 'kpi', 'firing', jsonb_build_object('symbol', s), 'old', now(),
        now(), '{}' FROM unnest(ARRAY['AAPL', 'MSFT']) AS s`,
  })
  const alerts = monitorAlerts(pipeline.config)
  const firing = async () => {
    const found = await alerts.firing(signal)
    return Object.fromEntries(found.map(({ labels, silencedUntilMs }) => [labels.symbol, silencedUntilMs]))
  }
  expect(await firing()).toEqual({ AAPL: null, MSFT: null })
  await alerts.silence({ rule: 'KpiStale', labels: { symbol: 'AAPL' } }, 3600)
  const { AAPL, MSFT } = await firing()
  expect(MSFT).toBeNull()
  expect((AAPL ?? 0) - Date.now()).toBeGreaterThan(3_500_000)
})
