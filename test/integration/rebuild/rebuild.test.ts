// rebuild, in this process: wrong rows become right, right ones stay, and the log's losses are respected.
import { describe, expect, it } from 'vitest'
import { seed } from '../../seed.ts'
import { expectedRows, makeTrades, messageText, place, send, shuffled, tableRows } from '../scenes/market.ts'
import { makePipeline, type Pipeline } from '../scenes/pipeline.ts'
import { marketKpi } from '../scenes/processes.ts'
import { rebuildPipeline } from '../scenes/rebuilding.ts'
import { until } from '../scenes/until.ts'
import { deleteRecords, verifyPipeline } from '../scenes/verification.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'

const symbols = ['AAPL', 'MSFT', 'BTC/USDT', 'BRK.B', 'EURUSD=X', '^GSPC']
const nothing = { changed: 0, added: 0, removed: 0, leftAlone: 0 }
const allRight = { differenceCount: 0, uncheckedCount: 0, differences: [] }
const bad = ['', '{"symbol":"A"', '[]', '{"symbol":"A"}'].map((value) => ({ symbol: 'AAPL', value }))

const trades = (count: number) => makeTrades({ seed, count, symbols })
const valuesOf = (some: ReturnType<typeof trades>) =>
  some.map((trade) => ({ symbol: trade.symbol, value: messageText(trade) }))

async function throughWorker(pipeline: Pipeline, values: readonly { symbol: string; value: string }[]) {
  await send(pipeline.cluster, pipeline.config.kafkaTopic, values)
  const worker = await startWorker(pipeline)
  await untilCounted(pipeline, values.length)
  await worker.stop()
}

async function positionsOf({ owner }: Pipeline): Promise<number[]> {
  const rows = await owner.query<{ offsets: number }>({
    text: 'SELECT coalesce(sum(next_offset), 0)::bigint AS offsets FROM kpi_consumer_offsets',
  })
  return rows.map(({ offsets }) => offsets)
}

const run = ({ owner }: Pipeline, text: string) => owner.query({ text })

describe('a range', () => {
  it('wrong, missing and made-up rows become what the log says; all others are not touched', async () => {
    await using pipeline = await makePipeline()
    const some = shuffled(trades(6000), seed)
    await throughWorker(pipeline, [...valuesOf(some), ...bad])
    await run(pipeline, `UPDATE kpi_market_prices SET close_price = close_price + 1 WHERE symbol = 'AAPL'`)
    await run(pipeline, `UPDATE kpi_market_prices SET trade_count = trade_count + 7 WHERE symbol = 'BRK.B'`)
    await run(pipeline, `DELETE FROM kpi_market_prices WHERE symbol = 'MSFT'`)
    await run(pipeline, `UPDATE kpi_market_prices SET symbol = 'TSLA' WHERE symbol = '^GSPC'`)
    const updated = `SELECT max(updated_at)::text AS at FROM kpi_market_prices WHERE symbol = 'BTC/USDT'`
    const before = await run(pipeline, updated)

    const dry = await rebuildPipeline(pipeline, { scope: { fromUs: 0 }, isDryRun: true })
    const wrong = { changed: 12, added: 12, removed: 6, leftAlone: 0 }
    expect(dry.rows).toEqual(wrong)
    expect((await verifyPipeline(pipeline)).differenceCount).toBeGreaterThan(0)

    const narrow = await rebuildPipeline(pipeline, { scope: { symbols: ['AAPL'] } })
    expect(narrow.rows).toEqual({ ...nothing, changed: 6 })
    const report = await rebuildPipeline(pipeline, { scope: { fromUs: 0 } })
    expect(report.rows).toEqual({ ...wrong, changed: 6 })
    expect(await tableRows(pipeline.owner)).toEqual(expectedRows(place(some, 3)))
    expect(await verifyPipeline(pipeline)).toMatchObject(allRight)
    expect(await run(pipeline, updated)).toEqual(before)
    expect((await rebuildPipeline(pipeline, { scope: { fromUs: 0 } })).rows).toEqual(nothing)
  })

  it('a worker writes meanwhile, before the lock and while it is waited for: nothing is lost or counted twice', async () => {
    await using pipeline = await makePipeline()
    const some = trades(72_000)
    const parts = [some.slice(0, 40_000), ...[0, 1, 2, 3].map((i) => some.slice(40_000 + i * 8000, 48_000 + i * 8000))]
    const sendPart = (part = 0) => send(pipeline.cluster, pipeline.config.kafkaTopic, valuesOf(parts[part] ?? []))
    const worker = await startWorker(pipeline, { batchWaitMs: 5, batchSize: 200 })
    await sendPart()
    await untilCounted(pipeline, 40_000)
    for (const part of [1, 2, 3, 4]) {
      const wrong = '(SELECT symbol, window_start FROM kpi_market_prices LIMIT 1)'
      await run(pipeline, `UPDATE kpi_market_prices SET sum_close = 1 WHERE (symbol, window_start) IN ${wrong}`)
      let sending = Promise.resolve()
      await rebuildPipeline(pipeline, {
        scope: part % 2 === 0 ? { fromUs: 0 } : 'all',
        onStep: async (step) => {
          if (step !== 'read') return
          const [before] = await positionsOf(pipeline)
          sending = sendPart(part)
          await until(
            'more counted after the first reading',
            () => positionsOf(pipeline),
            ([now]) => now !== before,
          )
        },
      })
      expect(await verifyPipeline(pipeline)).toMatchObject(allRight)
      await sending
    }
    await untilCounted(pipeline, some.length)
    await worker.stop()
    expect(await verifyPipeline(pipeline)).toMatchObject(allRight)
    expect(await tableRows(pipeline.owner)).toEqual(expectedRows(place(some, 3)))
  })

  it('two at once: the second says so, and the first goes on', async () => {
    await using pipeline = await makePipeline()
    await throughWorker(pipeline, valuesOf(trades(300)))
    const report = await rebuildPipeline(pipeline, {
      onStep: async (step) => {
        if (step !== 'locked') return
        await expect(rebuildPipeline(pipeline)).rejects.toMatchObject({ code: 'KPI_REBUILD_RUNNING' })
      },
    })
    expect(report.rows).toEqual(nothing)
  })

  it('no position moves from the last reading to the commit', async () => {
    await using pipeline = await makePipeline()
    await throughWorker(pipeline, valuesOf(trades(300)))
    const lockAll = 'SELECT FROM kpi_consumer_offsets FOR UPDATE NOWAIT'
    const refused: string[] = []
    await rebuildPipeline(pipeline, {
      onStep: async (step) => {
        if (step === 'read') await run(pipeline, lockAll)
        else await expect(run(pipeline, lockAll)).rejects.toThrow('55P03')
        refused.push(step)
      },
    })
    expect(refused).toEqual(['read', 'locked', 'written'])
  })

  it('another definition is refused without --all', async () => {
    await using pipeline = await makePipeline()
    await run(pipeline, 'UPDATE kpi_definition SET window_seconds = 60')
    await expect(rebuildPipeline(pipeline, { scope: { fromUs: 0 } })).rejects.toMatchObject({
      code: 'KPI_DEFINITION_MISMATCH',
    })
  })
})

describe('what the log no longer holds', () => {
  it('is named and left alone, right or wrong; everything else becomes right', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    await throughWorker(pipeline, [...valuesOf(trades(1000)), ...bad])
    await deleteRecords(pipeline, 0, 500)
    await run(pipeline, 'UPDATE kpi_market_prices SET open_price = open_price + 1')
    for (const scope of ['all', { fromUs: 0 }] as const) {
      const report = await rebuildPipeline(pipeline, { scope, maxShown: 100 })
      expect(report.rows).toMatchObject({ leftAlone: 18, added: 0, removed: 0 })
      const starts = new Set(report.left.map(({ startUs }) => new Date(startUs / 1000).toISOString().slice(11, 16)))
      expect([...starts].sort()).toEqual(['14:30', '14:35', '14:40'])
    }
    expect(await verifyPipeline(pipeline)).toMatchObject({ differenceCount: 0, uncheckedCount: 18 })
  })

  it('includes who was late: the rows still tell', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    // The latest message first: whether the others are late is told by the part of the log that goes.
    const values = valuesOf(trades(200))
    await throughWorker(pipeline, [...values.slice(-1), ...values.slice(0, -1)])
    await deleteRecords(pipeline, 0, 1)
    const rows = await tableRows(pipeline.owner)
    expect(rows.reduce((sum, { late }) => sum + late, 0)).toBeGreaterThan(50)
    expect((await rebuildPipeline(pipeline)).rows).toEqual({ ...nothing, leftAlone: 1 })
    expect(await tableRows(pipeline.owner)).toEqual(rows)
  })

  it('does not keep a missing row away whose window begins behind it, nor brings half of one back', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    await throughWorker(pipeline, valuesOf(trades(1000)))
    await deleteRecords(pipeline, 0, 400)
    const rows = await tableRows(pipeline.owner)
    await run(pipeline, 'DELETE FROM kpi_market_prices')
    await rebuildPipeline(pipeline, { scope: { fromUs: 0 } })
    const back = await tableRows(pipeline.owner)
    expect(back.length).toBeGreaterThan(6)
    for (const row of back) expect(rows).toContainEqual(row)
  })
})

describe('with all', () => {
  it('letters and counters that were tampered with become what the log says', async () => {
    await using pipeline = await makePipeline()
    await throughWorker(pipeline, [...valuesOf(trades(600)), ...bad, ...bad])
    await run(pipeline, `DELETE FROM dead_letters WHERE reason = 'not_object'`)
    await run(pipeline, `UPDATE dead_letters SET reason = 'bad_symbol' WHERE reason = 'empty'`)
    await run(
      pipeline,
      `INSERT INTO dead_letters (topic, partition, message_offset, reason)
       SELECT topic, 0, 100000, 'empty' FROM kpi_definition`,
    )
    await run(
      pipeline,
      `UPDATE kpi_consumer_offsets SET merged = merged + 1, without_message = -1, watermark_us = watermark_us + 5
       WHERE partition = 0`,
    )
    const report = await rebuildPipeline(pipeline)
    expect(report).toMatchObject({ rows: nothing, letters: { added: 2, changed: 2, removed: 1 } })
    expect(await verifyPipeline(pipeline)).toMatchObject({ ...allRight, letters: 8 })
  })

  it.each(['read', 'locked', 'written'] as const)('a rebuild that fails when %s changes nothing', async (step) => {
    await using pipeline = await makePipeline()
    await throughWorker(pipeline, valuesOf(trades(300)))
    await run(pipeline, 'UPDATE kpi_market_prices SET open_price = open_price + 1')
    const before = await tableRows(pipeline.owner)
    const failing = rebuildPipeline(pipeline, {
      onStep: async (reached) => {
        if (reached === step) throw new Error('on purpose')
      },
    })
    await expect(failing).rejects.toThrow()
    expect(await tableRows(pipeline.owner)).toEqual(before)
    expect((await rebuildPipeline(pipeline)).rows.changed).toBe(before.length)
  })
})

describe('the command', () => {
  it('says what would change, asks, changes it, and says so', async () => {
    await using pipeline = await makePipeline()
    await throughWorker(pipeline, [...valuesOf(trades(300)), ...bad])
    await run(pipeline, `UPDATE kpi_market_prices SET open_price = open_price + 1 WHERE symbol = 'AAPL'`)
    const { env } = pipeline
    const dry = marketKpi(['rebuild', '--symbol', 'AAPL', 'MSFT', '--dry-run'], env)
    expect(await dry.exited, dry.stderr()).toMatchObject({ code: 0 })
    expect(dry.stdout()).toMatch(/^rows would be changed 6, added 0, removed 0, left alone 0\n/)
    const asking = marketKpi(['rebuild', '--all'], env)
    expect(await asking.exited).toMatchObject({ code: 2 })
    expect(asking.stderr()).toBe(
      'rebuild asks before it changes data, and there is no terminal here: add --yes, or --dry-run to see what it would do\n',
    )
    const real = marketKpi(['rebuild', '--from', '2026-02-14T14:30Z', '--yes', '--json'], env)
    expect(await real.exited, real.stderr()).toMatchObject({ code: 0 })
    expect(JSON.parse(real.stdout())).toMatchObject({ rows: { ...nothing, changed: 6 }, messages: 304 })
    expect(await verifyPipeline(pipeline)).toMatchObject(allRight)
  })

  it.each([[[]], [['--all', '--symbol', 'AAPL']]])('rebuild %j is refused in one line', async (args) => {
    const refused = marketKpi(['rebuild', ...args], {})
    expect(await refused.exited).toMatchObject({ code: 2 })
    expect(refused.stderr()).toMatch(/^[^\n]+\n$/)
  })
})
