// A backup is one snapshot, and a position changes with its rows in one transaction: neither can be older than the other.
import type { ClientBase } from 'pg'
import { expect, it } from 'vitest'
import { loadConfig } from '../../../src/config/load.ts'
import { openDatabase, postgresOptions } from '../../../src/store/client/connection.ts'
import { prepareSchema } from '../../../src/store/schema/schema.ts'
import { seed } from '../../seed.ts'
import { countersOf, expectedRows, makeTrades, messageText, place, send, tableRows } from '../scenes/market.ts'
import { makePipeline, type Pipeline } from '../scenes/pipeline.ts'
import { verifyPipeline } from '../scenes/verification.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'

const symbols = ['AAPL', 'MSFT', 'BTC/USDT', 'BRK.B', 'EURUSD=X', '^GSPC']
const bad = ['', '{"symbol":"A"', '[]'].map((value) => ({ symbol: 'AAPL', value }))
const tables = ['kpi_definition', 'kpi_consumer_offsets', 'kpi_market_prices', 'dead_letters', 'kpi_pruned'] as const

/** What is in a table, as this transaction sees it; numbers keep their digits in text. */
async function dump(client: ClientBase, table: string): Promise<string> {
  const { rows } = await client.query<{ dump: string }>(
    `SELECT coalesce(json_agg(t), '[]')::text AS dump FROM ${table} t`,
  )
  return rows[0]?.dump ?? '[]'
}

/** A new database beside the pipeline's, with these contents. */
async function restore(pipeline: Pipeline, dumps: ReadonlyMap<string, string>): Promise<Pipeline> {
  const name = `${pipeline.config.kafkaTopic}-restored`
  const at = (url: string) => Object.assign(new URL(url), { pathname: `/${name}` }).href
  const config = loadConfig({ env: { ...pipeline.env, DATABASE_URL: at(pipeline.env.DATABASE_URL ?? '') } })
  const ownerOptions = postgresOptions({ ...config, databaseUrl: at(pipeline.ownerUrl) })
  await prepareSchema(ownerOptions, {})
  const owner = await openDatabase(ownerOptions, { maxConnections: 2, applicationName: 'test restored' })
  for (const [table, text] of dumps) {
    const columns = await owner.query<{ name: string }>({
      text: `SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND attgenerated = ''`,
      values: [table],
    })
    const list = columns.map(({ name: column }) => column).join(', ')
    await owner.query({ text: `DELETE FROM ${table}` })
    await owner.query({
      text: `INSERT INTO ${table} (${list}) OVERRIDING SYSTEM VALUE
        SELECT ${list} FROM json_populate_recordset(NULL::${table}, $1::json)`,
      values: [text],
    })
  }
  return {
    ...pipeline,
    config,
    owner,
    [Symbol.asyncDispose]: async () => {
      await owner.close()
      await pipeline.owner.query({ text: `DROP DATABASE "${name}" WITH (FORCE)` })
    },
  }
}

it('a backup made while workers write goes on from its own positions, to exact rows', async () => {
  await using pipeline = await makePipeline()
  const { cluster, config, owner } = pipeline
  const trades = makeTrades({ seed, count: 6000, symbols })
  const values = trades.map((trade) => ({ symbol: trade.symbol, value: messageText(trade) }))
  const worker = await startWorker(pipeline, { batchSize: 10 })
  await send(cluster, config.kafkaTopic, [...values.slice(0, 3000), ...bad])
  await untilCounted(pipeline, 1)

  const dumps = new Map<string, string>()
  await owner.transaction(async (client) => {
    await client.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ')
    // The positions are read first and the rows last, with all the rest of the log merged in between.
    dumps.set('kpi_consumer_offsets', await dump(client, 'kpi_consumer_offsets'))
    await send(cluster, config.kafkaTopic, [...values.slice(3000), ...bad])
    await untilCounted(pipeline, values.length + 2 * bad.length)
    for (const table of tables) dumps.set(table, await dump(client, table))
  })
  await worker.stop()

  await using restored = await restore(pipeline, dumps)
  const { merged } = await countersOf(restored.owner)
  expect(merged).toBeLessThan(trades.length)
  expect((await tableRows(restored.owner)).reduce((sum, { n }) => sum + n, 0)).toBe(merged)
  // What Kafka keeps of the group is the end of the log by now; it must not count.
  const next = await startWorker(restored)
  await untilCounted(restored, values.length + 2 * bad.length)
  await next.stop()
  expect(await tableRows(restored.owner)).toEqual(await tableRows(owner))
  expect(await tableRows(restored.owner)).toEqual(expectedRows(place(trades, 3)))
  expect(await verifyPipeline(restored)).toMatchObject({ differenceCount: 0, uncheckedCount: 0 })
})
