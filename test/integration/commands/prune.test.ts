// prune: what is old goes, what went stays counted, and nobody is held up.
import { describe, expect, it } from 'vitest'
import { countPrunable, pruneRows } from '../../../src/store/windows/prune.ts'
import { seed } from '../../seed.ts'
import { makeTrades, marketOpenMs, messageText, send, shuffled, tableRows } from '../scenes/market.ts'
import { makePipeline, type Pipeline } from '../scenes/pipeline.ts'
import { marketKpi } from '../scenes/processes.ts'
import { rebuildPipeline, withSettings } from '../scenes/rebuilding.ts'
import { ServiceAnswers } from '../scenes/service-answers.ts'
import { until } from '../scenes/until.ts'
import { verifyPipeline } from '../scenes/verification.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'
import { TcpProxy } from '../servers/tcp-proxy.ts'

const symbols = ['AAPL', 'MSFT', 'BTC/USDT', 'BRK.B', 'EURUSD=X', '^GSPC']
const minuteMs = 60_000
const allRight = { differenceCount: 0, uncheckedCount: 0, differences: [] }
const bad = ['', '{"symbol":"A"', '[]'].map((value) => ({ symbol: 'AAPL', value }))

const valuesOf = (count: number) =>
  makeTrades({ seed, count, symbols }).map((trade) => ({ symbol: trade.symbol, value: messageText(trade) }))

async function throughWorker(pipeline: Pipeline, values: readonly { symbol: string; value: string }[], counted = 0) {
  await send(pipeline.cluster, pipeline.config.kafkaTopic, values)
  const worker = await startWorker(pipeline)
  await untilCounted(pipeline, counted + values.length)
  await worker.stop()
}

/** Prunes as a worker's role. */
const prune = ({ owner }: Pipeline, minutes: number, batchRows = 5) =>
  pruneRows({
    database: owner,
    before: new Date(marketOpenMs + minutes * minuteMs),
    batchRows,
    between: async () => true,
  })

const statesOf = ({ owner }: Pipeline) =>
  owner.query<{ start: string; state: string; n: number }>({
    text: `SELECT DISTINCT to_char(window_start AT TIME ZONE 'UTC', 'HH24:MI') AS start, window_state AS state, trade_count AS n
      FROM kpi_windows WHERE symbol = 'AAPL' ORDER BY start`,
  })

describe('rows', () => {
  it('of windows that ended by then go, in small transactions, and verify still adds up', async () => {
    await using pipeline = await makePipeline()
    await throughWorker(pipeline, [...valuesOf(3000), ...bad])
    const before = await tableRows(pipeline.owner)
    const keptFrom = marketOpenMs + 10 * minuteMs
    const old = before.filter(({ start }) => start < keptFrom)
    const messages = old.reduce((sum, { n }) => sum + n, 0)
    const gone = { rows: old.length, messages, startsBefore: new Date(keptFrom) }
    expect(await countPrunable(pipeline.owner, new Date(keptFrom + 4 * minuteMs))).toEqual(gone)
    expect(await prune(pipeline, 14)).toEqual(gone)
    expect(await tableRows(pipeline.owner)).toEqual(before.filter(({ start }) => start >= keptFrom))
    expect(await verifyPipeline(pipeline)).toMatchObject({ ...allRight, rows: before.length - old.length })
    expect(await prune(pipeline, 14)).toMatchObject({ rows: 0, messages: 0 })

    await pipeline.owner.query({ text: `DELETE FROM kpi_market_prices WHERE symbol = 'AAPL'` })
    expect((await verifyPipeline(pipeline)).differenceCount).toBe(5)
  })

  it('a message for a window that is gone makes an incomplete row, which the next prune takes; no rebuild brings it back', async () => {
    await using pipeline = await makePipeline()
    await throughWorker(pipeline, valuesOf(3000))
    await prune(pipeline, 10)
    const late = messageText({ symbol: 'AAPL', timestampMs: marketOpenMs, close: 100_000_000n, volume: 0n })
    await throughWorker(pipeline, [{ symbol: 'AAPL', value: late }], 3000)
    const [first, second] = await statesOf(pipeline)
    expect(first).toEqual({ start: '14:30', state: 'incomplete', n: 1 })
    expect(second).toMatchObject({ start: '14:40', state: 'closed' })
    expect(await verifyPipeline(pipeline)).toMatchObject(allRight)

    const nothing = { changed: 0, added: 0, removed: 0, leftAlone: 0 }
    expect((await rebuildPipeline(pipeline)).rows).toEqual(nothing)
    const changed = withSettings(pipeline, { WINDOW_SECONDS: '60' })
    await rebuildPipeline(changed)
    expect(await verifyPipeline(changed)).toMatchObject(allRight)
    expect((await statesOf(pipeline))[0]).toEqual({ start: '14:30', state: 'incomplete', n: 1 })
    expect(await prune(pipeline, 10)).toMatchObject({ rows: 1, messages: 1 })
    expect(await verifyPipeline(changed)).toMatchObject(allRight)
  })

  it('workers merge into them meanwhile, without a deadlock and without losing count', async () => {
    await using pipeline = await makePipeline()
    const worker = await startWorker(pipeline, { batchWaitMs: 1, batchSize: 20 })
    let rows = 0
    for (const round of [1, 2, 3, 4]) {
      const sending = send(pipeline.cluster, pipeline.config.kafkaTopic, shuffled(valuesOf(15_000), seed + round))
      rows += (await prune(pipeline, 20, 3)).rows
      expect(await verifyPipeline(pipeline)).toMatchObject(allRight)
      await sending
      await untilCounted(pipeline, round * 15_000)
    }
    await worker.stop()
    rows += (await prune(pipeline, 20)).rows
    // Four windows of six symbols, some of which came again after they had gone.
    expect(rows).toBeGreaterThan(24)
    expect(await verifyPipeline(pipeline)).toMatchObject(allRight)
    const deadlocks = 'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()'
    expect(await pipeline.owner.query({ text: deadlocks })).toEqual([{ deadlocks: 0 }])
  })

  it('a merge that holds a row is not waited for', async () => {
    await using pipeline = await makePipeline()
    await throughWorker(pipeline, valuesOf(600))
    await pipeline.owner.transaction(async (client) => {
      await client.query(`SELECT FROM kpi_market_prices WHERE symbol = 'AAPL' FOR UPDATE`)
      expect(await prune(pipeline, 30)).toMatchObject({ rows: 30 })
    })
    expect(await prune(pipeline, 30)).toMatchObject({ rows: 6 })
    expect(await verifyPipeline(pipeline)).toMatchObject(allRight)
  })
})

describe('the command', () => {
  const age = (minutes: number) => `${Math.round((Date.now() - marketOpenMs) / 1000 - minutes * 60)}s`

  it('says what would go, then what went, of rows and of rejected messages', async () => {
    await using pipeline = await makePipeline()
    await throughWorker(pipeline, [...valuesOf(600), ...bad])
    const { env, owner } = pipeline
    const [first] = await tableRows(owner)
    await owner.query({
      text: `UPDATE dead_letters SET received_at = received_at - interval '2 days' WHERE reason <> 'empty'`,
    })
    const args = ['prune', '--rows-older-than', age(6), '--letters-older-than', '1d']
    const dry = marketKpi([...args, '--dry-run'], env)
    expect(await dry.exited, dry.stderr()).toMatchObject({ code: 0 })
    expect(dry.stdout()).toMatch(
      /^would delete 6 rows \(\d+ messages\) of windows before 2026-02-14T14:35:00Z\nwould delete 2 rejected messages from/,
    )
    expect(await tableRows(owner)).toContainEqual(first)
    const asking = marketKpi(args, env)
    expect(await asking.exited).toMatchObject({ code: 2 })
    expect(asking.stderr()).toMatch(/^prune asks before it changes data, [^\n]+\n$/)
    expect(await tableRows(owner)).toContainEqual(first)
    const real = marketKpi([...args, '--yes'], env)
    expect(await real.exited, real.stderr()).toMatchObject({ code: 0 })
    expect(real.stdout()).toBe(
      dry
        .stdout()
        .replaceAll('would delete', 'deleted')
        .replace(/from before .*/, real.stdout().match(/from before .*/)?.[0] ?? ''),
    )
    expect(await verifyPipeline(pipeline)).toMatchObject({ ...allRight, letters: 1 })
  })

  it('with --every it comes back until it is stopped', async () => {
    await using pipeline = await makePipeline()
    await throughWorker(pipeline, valuesOf(600))
    const service = marketKpi(['prune', '--every', '1s', '--yes'], { ...pipeline.env, PRUNE_ROWS_OLDER_THAN: age(6) })
    const times = (text: string) => text.split('deleted').length - 1
    await until(
      'pruned twice',
      () => service.stdout(),
      (text) => times(text) >= 2,
    )
    expect(service.stdout()).toMatch(/^deleted 6 rows/)
    service.child.kill('SIGTERM')
    expect(await service.exited, service.stderr()).toEqual({ code: 0, signal: null })
  })

  it('with --every it tells over HTTP what has gone, and that a round failed', async () => {
    await using pipeline = await makePipeline()
    await throughWorker(pipeline, [...valuesOf(600), ...bad])
    await pipeline.owner.query({ text: `UPDATE dead_letters SET received_at = received_at - interval '2 days'` })
    const database = new URL(pipeline.env.DATABASE_URL ?? '')
    await using proxy = await TcpProxy.start(database.host)
    database.host = proxy.address
    const settings = { PRUNE_ROWS_OLDER_THAN: age(6), PRUNE_LETTERS_OLDER_THAN: '1d', DATABASE_URL: database.href }
    const service = marketKpi(['prune', '--every', '1s', '--yes', '--http-port', '0'], { ...pipeline.env, ...settings })
    const answers = await ServiceAnswers.of(service)
    await answers.untilReady(true)
    expect(await answers.metric('market_kpi_prune_rows_deleted_total')).toBe(6)
    expect(await answers.metric('market_kpi_prune_letters_deleted_total')).toBe(3)
    expect(JSON.parse((await answers.get('/health')).text)).toMatchObject({
      checks: { 'postgres:connectivity': [{ status: 'pass' }] },
      prune: { rows: 6, letters: 3, failures: 0, notReady: [] },
    })
    const workedAt = (await answers.metric('market_kpi_prune_last_success_timestamp_seconds')) ?? 0
    expect(Math.abs(Date.now() / 1000 - workedAt)).toBeLessThan(60)

    proxy.isOpen = false
    proxy.cut()
    expect(await answers.untilReady(false)).toMatch(/^the last round failed: PostgreSQL at .* does not answer/)
    expect(await answers.metric('market_kpi_prune_failures_total')).toBeGreaterThan(0)
    expect(await answers.metric('market_kpi_prune_ready')).toBe(0)
    proxy.isOpen = true
    await answers.untilReady(true)
    expect(await answers.metric('market_kpi_prune_last_success_timestamp_seconds')).toBeGreaterThan(workedAt)
    service.child.kill('SIGTERM')
    expect(await service.exited, service.stderr()).toEqual({ code: 0, signal: null })
  })

  it.each([
    [[]],
    [['--rows-older-than', 'soon']],
    [['--rows-older-than', '1d', '--every', '1h', '--dry-run']],
    [['--rows-older-than', '1d', '--http-port', '0']],
  ])('prune %j is refused in one line', async (args) => {
    const refused = marketKpi(['prune', ...args], {})
    expect(await refused.exited).toMatchObject({ code: 2 })
    expect(refused.stderr()).toMatch(/^[^\n]+\n$/)
  })
})
