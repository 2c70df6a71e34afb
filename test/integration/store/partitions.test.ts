// Monthly partitions: the same rows, in tables that can be dropped whole.
import { describe, expect, it } from 'vitest'
import { lookAtKpi } from '../../../src/observe/collect/kpi.ts'
import { lookAtSchema } from '../../../src/observe/collect/schema.ts'
import { openDatabase, postgresOptions } from '../../../src/store/client/connection.ts'
import { withProbe } from '../../../src/store/client/probe.ts'
import { prepareSchema } from '../../../src/store/schema/schema.ts'
import { addMonthsAhead } from '../../../src/store/windows/partitions.ts'
import { pruneRows } from '../../../src/store/windows/prune.ts'
import { seed } from '../../seed.ts'
import { expectedRows, makeTrades, sendTrades, tableRows } from '../scenes/market.ts'
import { makePipeline, type Pipeline } from '../scenes/pipeline.ts'
import { rebuildPipeline } from '../scenes/rebuilding.ts'
import { verifyPipeline } from '../scenes/verification.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'

const symbols = ['AAPL', 'MSFT', 'BTC/USDT', 'BRK.B', 'EURUSD=X', '^GSPC']
const allRight = { differenceCount: 0, uncheckedCount: 0, differences: [] }
const settings = { partitionBy: 'month' }
const monthMs = 28 * 86_400_000

/** Of February and March 2026, and of half an hour each. */
const trades = (() => {
  const some = makeTrades({ seed, count: 4000, symbols })
  return some.map((trade, i) => (i % 2 === 0 ? trade : { ...trade, timestampMs: trade.timestampMs + monthMs }))
})()

const ownerOptions = ({ config, ownerUrl }: Pipeline) => postgresOptions({ ...config, databaseUrl: ownerUrl })

async function rowsByPartition({ owner }: Pipeline): Promise<Record<string, number>> {
  const rows = await owner.query<{ name: string; count: number }>({
    text: 'SELECT tableoid::regclass::text AS name, count(*) AS count FROM kpi_market_prices GROUP BY 1 ORDER BY 1',
  })
  return Object.fromEntries(rows.map(({ name, count }) => [name, count]))
}

async function partitionsOf({ owner }: Pipeline): Promise<{ name: string; options: string }[]> {
  return owner.query<{ name: string; options: string }>({
    text: `SELECT relname AS name, array_to_string(reloptions, ',') AS options FROM pg_class
      WHERE oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'kpi_market_prices'::regclass) ORDER BY relname`,
  })
}

async function throughWorker(pipeline: Pipeline) {
  const placed = await sendTrades(pipeline.cluster, pipeline.config.kafkaTopic, 3, trades)
  const worker = await startWorker(pipeline, { batchSize: 20 })
  await untilCounted(pipeline, trades.length)
  await worker.stop()
  return placed
}

describe('a table of months', () => {
  it('is made ahead of the clock, with room on its pages, once', async () => {
    await using pipeline = await makePipeline({ settings })
    const partitions = await partitionsOf(pipeline)
    expect(partitions).toHaveLength(1 + 13 + 1)
    expect(new Set(partitions.map(({ options }) => options)).size).toBe(1)
    expect(partitions[0]?.options).toContain('fillfactor=70')
    expect(await prepareSchema(ownerOptions(pipeline), {}, 'month')).toEqual([])
    // Who is not asked for them leaves them as they are.
    expect(await prepareSchema(ownerOptions(pipeline), {}, 'none')).toEqual([])
  })

  it('has the rows that one table has, whether their month is there or not, and rebuild puts them right', async () => {
    await using pipeline = await makePipeline({ settings })
    const { owner } = pipeline
    const made = await owner.query({ text: `SELECT kpi_add_months('2026-02-01', '2026-02-02')` })
    expect(made).toEqual([{ kpi_add_months: 'kpi_market_prices_2026_02' }])
    const expected = expectedRows(await throughWorker(pipeline))
    expect(await tableRows(owner)).toEqual(expected)
    const half = expected.length / 2
    expect(await rowsByPartition(pipeline)).toEqual({ kpi_market_prices_2026_02: half, kpi_market_prices_rest: half })
    expect(await verifyPipeline(pipeline)).toMatchObject(allRight)
    // A month whose rows stand elsewhere already is left out.
    expect(await owner.query({ text: `SELECT kpi_add_months('2026-03-01', '2026-03-02')` })).toEqual([])

    await owner.query({ text: `UPDATE kpi_market_prices SET max_close = max_close + 1 WHERE symbol = 'AAPL'` })
    await owner.query({ text: `DELETE FROM kpi_market_prices WHERE symbol = 'MSFT'` })
    await rebuildPipeline(pipeline)
    expect(await tableRows(owner)).toEqual(expected)
    expect(await verifyPipeline(pipeline)).toMatchObject(allRight)
  })

  it('is pruned by whole months, and what went stays counted', async () => {
    await using pipeline = await makePipeline({ settings })
    const { owner, config } = pipeline
    await owner.query({ text: `SELECT kpi_add_months('2026-02-01', '2026-03-02')` })
    const expected = expectedRows(await throughWorker(pipeline))
    const before = new Date('2026-03-10T00:00:00Z')
    const february = expected.filter(({ start }) => start < Date.parse('2026-03-01T00:00:00Z'))
    // With the rights of the pipeline's role, which owns no table.
    const worker = await openDatabase(postgresOptions(config), { maxConnections: 1, applicationName: 'test prune' })
    const result = await pruneRows({ database: worker, before, between: async () => true })
    await addMonthsAhead(worker)
    await worker.close()
    expect(result).toMatchObject({ rows: february.length, messages: february.reduce((sum, { n }) => sum + n, 0) })
    expect((await partitionsOf(pipeline)).map(({ name }) => name)).not.toContain('kpi_market_prices_2026_02')
    expect(await tableRows(owner)).toEqual(expected.filter((row) => !february.includes(row)))
    expect(await verifyPipeline(pipeline)).toMatchObject(allRight)
  })

  it('is dropped behind those who read it, and no commit waits for that', async () => {
    await using pipeline = await makePipeline({ settings })
    const { owner, cluster, config } = pipeline
    await owner.query({ text: `SELECT kpi_add_months('2026-02-01', '2026-02-02')` })
    await throughWorker(pipeline)
    const pruner = await openDatabase(postgresOptions(config), { maxConnections: 1, applicationName: 'test prune' })
    const refused = Promise.withResolvers<void>()
    const before = new Date('2026-03-01T00:00:00Z')
    const between = async () => {
      refused.resolve()
      return true
    }
    const pruning = await owner.transaction(async (client) => {
      await client.query('SELECT count(*) FROM kpi_market_prices')
      const going = pruneRows({ database: pruner, before, between })
      await Promise.race([refused.promise, going])
      const worker = await startWorker(pipeline)
      await sendTrades(cluster, config.kafkaTopic, 3, trades)
      await untilCounted(pipeline, 2 * trades.length)
      await worker.stop()
      return { going }
    })
    expect((await pruning.going).rows).toBeGreaterThan(0)
    await pruner.close()
    expect((await partitionsOf(pipeline)).map(({ name }) => name)).not.toContain('kpi_market_prices_2026_02')
    expect(await verifyPipeline(pipeline)).toMatchObject(allRight)
  })

  it('looks right to health, and its view to readers', async () => {
    await using pipeline = await makePipeline({ settings })
    await throughWorker(pipeline)
    const limits = { connectTimeoutMs: 5000, statementTimeoutMs: 5000, applicationName: 'test probe' }
    const { schema, kpi } = await withProbe(
      ownerOptions(pipeline),
      limits,
      AbortSignal.timeout(20_000),
      async (probe) => ({
        schema: await lookAtSchema(probe),
        kpi: await lookAtKpi(probe),
      }),
    )
    expect(schema).toMatchObject({ missingMigrations: [], missingParts: [] })
    expect(kpi.rows).toBe((await tableRows(pipeline.owner)).length)
    expect(kpi.tableBytes).toBeGreaterThan(0)
    const [view] = await pipeline.owner.query<{ rows: number; reads: boolean }>({
      text: `SELECT count(*) AS rows, has_table_privilege('bi_reader', 'kpi_windows', 'SELECT') AS reads FROM kpi_windows`,
    })
    expect(view).toEqual({ rows: kpi.rows, reads: true })
  })
})

it('a table with rows is not made into months, and nothing of it is touched', async () => {
  await using pipeline = await makePipeline()
  await throughWorker(pipeline)
  const rows = await tableRows(pipeline.owner)
  await expect(prepareSchema(ownerOptions(pipeline), {}, 'month')).rejects.toMatchObject({
    code: 'KPI_PARTITIONS_NOT_POSSIBLE',
  })
  expect(await tableRows(pipeline.owner)).toEqual(rows)
  expect(await verifyPipeline(pipeline)).toMatchObject(allRight)
})
