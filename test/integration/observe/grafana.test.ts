// Every query of the dashboard of prices, against a database with rows, as the role that Grafana logs in as.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type Database, openDatabase, postgresOptions } from '../../../src/store/client/connection.ts'
import { type Dashboard, dashboardsOf, exportedFiles, panelsOf } from '../../unit/export/dashboards.ts'
import { sendNow } from '../scenes/observing.ts'
import { makePipeline, type Pipeline } from '../scenes/pipeline.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'

let pipeline: Pipeline
let reader: Database

const [, prices] = dashboardsOf(exportedFiles()) as [Dashboard, Dashboard]

beforeAll(async () => {
  pipeline = await makePipeline()
  const worker = await startWorker(pipeline)
  await sendNow(pipeline, 200, 5)
  await untilCounted(pipeline, 200)
  await worker.stop()
  await pipeline.owner.query({
    text: `INSERT INTO alerts (id, fingerprint, rule, severity, stage, state, labels, summary, started_at, fired_at, progress)
      VALUES (gen_random_uuid(), 'f', 'ConsumerStalled', 'critical', 'consumer', 'firing', '{}', 'it stands', now(), now(), '{}')`,
  })
  const url = new URL(pipeline.ownerUrl)
  url.username = 'bi_reader'
  url.password = inject('readerPassword')
  const options = postgresOptions({ ...pipeline.config, databaseUrl: url.href })
  reader = await openDatabase(options, { maxConnections: 1, applicationName: 'market-kpi test reader' })
})

afterAll(async () => {
  await reader?.close()
  await pipeline?.[Symbol.asyncDispose]()
})

/** What Grafana makes of its macros and variables, of those that the dashboards use: the last hour, and one symbol. */
function expanded(rawSql: string): string {
  const text = rawSql
    .replaceAll('$' + '{symbol:sqlstring}', "'SYM1'")
    .replaceAll('$__interval', '1m')
    .replace(/\$__timeFilter\((\w+)\)/g, "$1 BETWEEN now() - interval '1 hour' AND now() + interval '1 minute'")
    .replace(/\$__timeGroupAlias\((\w+), 1m\)/g, 'floor(extract(epoch from $1) / 60) * 60 AS "time"')
  expect(text).not.toContain('$')
  return text
}

async function rowsOf(rawSql = '') {
  return reader.query<Record<string, unknown>>({ text: expanded(rawSql) })
}

describe('each panel asks for something that is there', () => {
  const targets = panelsOf(prices).flatMap(({ type, title, targets: of }) =>
    of.map((target) => ({ type, title, target })),
  )

  it.each(targets.map((each) => [each.title, each] as const))('%s', async (_, { type, target }) => {
    const rows = await rowsOf(target.rawSql)
    expect(rows.length).toBeGreaterThan(0)
    const columns = Object.keys(rows[0] ?? {})
    // Curves need a time and numbers; the long form has them as time, metric and value.
    if (type === 'timeseries' || type === 'candlestick') expect(columns).toContain('time')
    if (target.format === 'time_series') expect(columns).toEqual(['time', 'metric', 'value'])
    if (type === 'candlestick') expect(columns).toEqual(['time', 'open', 'high', 'low', 'close', 'volume'])
    const numbers = columns.filter((name) => name !== 'time' && name !== 'metric')
    if (type !== 'table') for (const name of numbers) expect(typeof rows[0]?.[name]).toBe('number')
  })
})

it('the list of symbols has each once', async () => {
  const { query } = prices.templating.list.find(({ name }) => name === 'symbol') ?? {}
  const rows = await rowsOf(String(query))
  expect(rows.map(({ symbol }) => symbol)).toEqual(Array.from({ length: 10 }, (_, index) => `SYM${index}`))
})

it('alerts are marked in the curves, with a text and tags', async () => {
  const [annotation] = prices.annotations.list
  const [alert] = await rowsOf(annotation?.target?.rawSql)
  expect(alert).toMatchObject({ text: 'ConsumerStalled: it stands', tags: 'ConsumerStalled,critical', timeend: null })
})

it('movers are those that moved, by the open of their first and the close of their last window', async () => {
  const panel = panelsOf(prices).find(({ title }) => title === 'Movers')
  const rows = await rowsOf(panel?.targets[0]?.rawSql)
  const [{ change } = { change: Number.NaN }] = await pipeline.owner.query<{ change: number }>({
    text: `SELECT max(abs(100 * (close_price - open_price) / open_price))::float8 AS change FROM kpi_market_prices
      WHERE window_start = (SELECT min(window_start) FROM kpi_market_prices)`,
  })
  expect(rows.length).toBe(10)
  const changes = rows.map((row) => Math.abs(Number(row['Change %'])))
  expect(changes).toEqual(changes.toSorted((a, b) => b - a))
  expect(changes[0]).toBeGreaterThanOrEqual(change - 1e-6)
})
