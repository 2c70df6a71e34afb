// rebuild --all under another definition: everything follows, workers of the old one end, new ones go on exactly.
import { describe, expect, it } from 'vitest'
import { postgresOptions } from '../../../src/store/client/connection.ts'
import { purgeLetters } from '../../../src/store/dead-letters/purge.ts'
import { retryLetter } from '../../../src/store/dead-letters/retry.ts'
import { prepareSchema } from '../../../src/store/schema/schema.ts'
import { seed } from '../../seed.ts'
import { makeTrades, marketOpenMs, messageText, send, shuffled } from '../scenes/market.ts'
import { makePipeline, type Pipeline } from '../scenes/pipeline.ts'
import { runScript } from '../scenes/processes.ts'
import { rebuildPipeline, withSettings } from '../scenes/rebuilding.ts'
import { until } from '../scenes/until.ts'
import { deleteRecords, verifyPipeline } from '../scenes/verification.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'

const symbols = ['AAPL', 'MSFT', 'BTC/USDT', 'BRK.B', 'EURUSD=X', '^GSPC']
const allRight = { differenceCount: 0, uncheckedCount: 0, differences: [] }
const bad = ['', '{"symbol":"A"', '[]'].map((value) => ({ symbol: 'AAPL', value }))
const minuteMs = 60_000

const valuesOf = (count: number) =>
  shuffled(makeTrades({ seed, count, symbols }), seed).map((trade) => ({
    symbol: trade.symbol,
    value: messageText(trade),
  }))
const inOrder = (count: number) =>
  makeTrades({ seed, count, symbols }).map((trade) => ({ symbol: trade.symbol, value: messageText(trade) }))
const at = (timestampMs: number, symbol = 'AAPL') => ({
  symbol,
  value: messageText({ symbol, timestampMs, close: 18_715_000_000n, volume: 100_000_000n }),
})

async function throughWorker(pipeline: Pipeline, values: readonly { symbol: string; value: string }[], counted = 0) {
  await send(pipeline.cluster, pipeline.config.kafkaTopic, values)
  const worker = await startWorker(pipeline)
  await untilCounted(pipeline, counted + values.length)
  await worker.stop()
}

const lettersOf = ({ owner }: Pipeline) =>
  owner.query<{ reason: string; detail: string; payload: Buffer | null }>({
    text: 'SELECT reason, detail, payload FROM dead_letters ORDER BY partition, message_offset',
  })

describe('another definition', () => {
  it.each([
    ['WINDOW_SECONDS', '60'],
    ['WINDOW_SECONDS', '420'],
    ['ALLOWED_LATENESS_SECONDS', '0'],
    ['KAFKA_GROUP', 'another-group'],
  ])('%s=%s: a worker of the old one ends, one of the new goes on, and verify finds nothing', async (name, value) => {
    await using pipeline = await makePipeline()
    const first = [...valuesOf(4000), ...bad]
    await throughWorker(pipeline, first)
    const old = await startWorker(pipeline)
    const changed = withSettings(pipeline, { [name]: value })
    const report = await rebuildPipeline(changed)
    expect(report.rows.leftAlone).toBe(0)
    expect(report.kept).toBe(0)
    expect(await verifyPipeline(changed)).toMatchObject(allRight)

    const more = [...valuesOf(2000), ...bad]
    await send(pipeline.cluster, pipeline.config.kafkaTopic, more)
    expect(await old.fatal).toMatchObject({ code: 'KPI_DEFINITION_MISMATCH' })
    await old.stop()
    const worker = await startWorker(changed)
    await untilCounted(changed, first.length + more.length)
    await worker.stop()
    expect(await verifyPipeline(changed)).toMatchObject({
      ...allRight,
      messages: first.length + more.length,
      letters: 6,
    })
  })

  it('the log stays: another topic is refused', async () => {
    await using pipeline = await makePipeline()
    await using other = await makePipeline()
    const swapped = { ...pipeline, metadata: other.metadata }
    await expect(rebuildPipeline(swapped)).rejects.toMatchObject({ code: 'KPI_DEFINITION_MISMATCH' })
  })

  it('only the pipeline may replace the definition', async () => {
    await using pipeline = await makePipeline()
    const { owner } = pipeline
    const may = (role: string) =>
      owner.query<{ may: boolean }>({
        text: `SELECT has_function_privilege($1, oid, 'EXECUTE') AS may FROM pg_proc WHERE proname = 'kpi_replace_definition'`,
        values: [role],
      })
    expect(await may('bi_user')).toEqual([{ may: true }])
    expect(await may('bi_reader')).toEqual([{ may: false }])
    await prepareSchema(postgresOptions({ ...pipeline.config, databaseUrl: pipeline.ownerUrl }), {})
    expect(await may('bi_reader')).toEqual([{ may: false }])
  })
})

describe('another MAX_FUTURE_SECONDS', () => {
  it('lets rejected messages count: their letters go, purged ones too, and retried ones stay as they were retried', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    const { owner, config } = pipeline
    const soonMs = Date.now() + 1000 * minuteMs
    const values = [...inOrder(300), at(soonMs, 'A'), at(soonMs + 1, 'B'), at(soonMs + 2, 'C'), ...bad]
    await throughWorker(pipeline, values)
    const key = { group: config.kafkaGroup, topic: config.kafkaTopic }
    await owner.query({
      text: `UPDATE dead_letters SET received_at = received_at - interval '1 day' WHERE message_offset = 301`,
    })
    await purgeLetters(owner, key, { before: new Date(Date.now() - minuteMs) }, () => undefined)
    await retryLetter(owner, key, await heldDefinition(pipeline), {
      partition: 0,
      offset: 302,
      payload: Buffer.from(at(marketOpenMs, 'C').value),
      rowAt: () => partialAt(marketOpenMs, 'C', 302),
    })
    expect(await verifyPipeline(pipeline)).toMatchObject(allRight)

    const patient = withSettings(pipeline, { MAX_FUTURE_SECONDS: '86400' })
    const report = await rebuildPipeline(patient)
    expect(report).toMatchObject({ rows: { added: 2, changed: 0, removed: 0 }, letters: { removed: 1, added: 0 } })
    expect(await verifyPipeline(patient)).toMatchObject({ ...allRight, letters: 4, retried: 1 })

    const strict = await rebuildPipeline(pipeline)
    expect(strict).toMatchObject({ rows: { removed: 2 }, letters: { added: 2 } })
    expect(await verifyPipeline(pipeline)).toMatchObject({ ...allRight, letters: 6, retried: 1 })
    const added = (await lettersOf(pipeline)).filter(({ reason }) => reason === 'future_timestamp')
    expect(added.map(({ payload }) => payload?.toString()).slice(0, 2)).toEqual(
      values.slice(300, 302).map((v) => v.value),
    )
  })

  it('rejects messages that counted: they get letters, and purged ones do not come back', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    const { owner, config } = pipeline
    await throughWorker(pipeline, [...inOrder(300), at(Date.now() + 3 * minuteMs), ...bad])
    const key = { group: config.kafkaGroup, topic: config.kafkaTopic }
    await purgeLetters(owner, key, { reason: 'empty' }, () => undefined)
    const strict = withSettings(pipeline, { MAX_FUTURE_SECONDS: '1' })
    expect(await rebuildPipeline(strict)).toMatchObject({
      rows: { removed: 1 },
      letters: { added: 1, removed: 0, changed: 0 },
    })
    expect(await verifyPipeline(strict)).toMatchObject({ ...allRight, letters: 3 })
  })

  it('takes a retry back whose value is not accepted any more', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    const { owner, config } = pipeline
    await throughWorker(pipeline, [...inOrder(100), ...bad])
    const laterMs = Date.now() + 3 * minuteMs
    await retryLetter(owner, { group: config.kafkaGroup, topic: config.kafkaTopic }, await heldDefinition(pipeline), {
      partition: 0,
      offset: 101,
      payload: Buffer.from(at(laterMs).value),
      rowAt: () => partialAt(laterMs, 'AAPL', 101),
    })
    expect(await verifyPipeline(pipeline)).toMatchObject({ ...allRight, retried: 1 })
    const strict = withSettings(pipeline, { MAX_FUTURE_SECONDS: '1' })
    expect(await rebuildPipeline(strict)).toMatchObject({ retriesTakenBack: 1, rows: { removed: 1 } })
    expect(await verifyPipeline(strict)).toMatchObject({ ...allRight, letters: 3, retried: 0 })
  })
})

async function heldDefinition({ owner, config }: Pipeline) {
  const [held] = await owner.query<{ id: number }>({ text: 'SELECT id FROM kpi_definition' })
  return { id: held?.id ?? -1, windowSeconds: config.windowSeconds, decimals: config.decimals }
}

/** What {@link at} comes to. */
function partialAt(timestampMs: number, symbol: string, offset: number) {
  const timestampUs = timestampMs * 1000
  const close = 18_715_000_000n
  const volume = 100_000_000n
  const price = { timestampUs, partition: 0, offset, price: close }
  return {
    ...{ symbol, windowStartUs: timestampUs - (timestampUs % 300e6), n: 1, sumClose: close, sumCloseSq: close * close },
    ...{ sumCloseVolume: close * volume, sumVolume: volume, minClose: close, maxClose: close, high: close, low: close },
    ...{ first: price, last: price, lateCount: 0 },
  }
}

describe('where the log no longer holds everything', () => {
  const windowsOf = ({ owner }: Pipeline) =>
    owner.query<{ start: string; seconds: number; state: string; n: number }>({
      text: `SELECT to_char(window_start AT TIME ZONE 'UTC', 'HH24:MI') AS start, window_state AS state, trade_count AS n,
          extract(epoch FROM window_end - window_start)::integer AS seconds
        FROM kpi_windows WHERE symbol = 'AAPL' ORDER BY window_start`,
    })

  it('older rows stay, newer ones follow, and late messages for the older time are seen', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    await throughWorker(pipeline, inOrder(1500))
    await deleteRecords(pipeline, 0, 500)
    const changed = withSettings(pipeline, { WINDOW_SECONDS: '60' })
    const report = await rebuildPipeline(changed)
    // The log begins at 14:40, where the first window and the two minutes of lateness allow messages up to 14:47.
    expect(new Date(report.keptBeforeUs / 1000).toISOString()).toBe('2026-02-14T14:50:00.000Z')
    expect(report).toMatchObject({ kept: 24, rows: { leftAlone: 0, added: expect.any(Number) } })
    const rows = await windowsOf(pipeline)
    expect(rows.slice(0, 5).map(({ start, seconds }) => `${start} ${seconds}`)).toEqual([
      ...['14:30 300', '14:35 300', '14:40 300', '14:45 300'],
      '14:50 60',
    ])
    expect(rows.filter(({ state }) => state === 'incomplete')).toEqual([])
    expect(await verifyPipeline(changed)).toMatchObject({ differenceCount: 0 })

    const late = [at(marketOpenMs + 30_000), at(marketOpenMs + 11 * minuteMs), at(marketOpenMs + 25 * minuteMs)]
    await throughWorker(changed, late, 1500)
    const touched = (await windowsOf(pipeline)).filter(({ state }) => state === 'incomplete')
    expect(touched.map(({ start, seconds }) => `${start} ${seconds}`)).toEqual(['14:30 300', '14:41 60'])
    expect(await verifyPipeline(changed)).toMatchObject({ differenceCount: 0 })
    expect((await rebuildPipeline(changed, { scope: { fromUs: 0 } })).rows).toMatchObject({
      changed: 0,
      added: 0,
      removed: 0,
    })
  })

  it('a message that is gone and belongs to a window that seems whole stops it', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    await throughWorker(pipeline, [at(marketOpenMs + 29 * minuteMs), ...inOrder(1500)])
    await deleteRecords(pipeline, 0, 1)
    const changed = withSettings(pipeline, { WINDOW_SECONDS: '60' })
    await expect(rebuildPipeline(changed)).rejects.toMatchObject({ code: 'KPI_REBUILD_REFUSED' })
    expect(await verifyPipeline(pipeline)).toMatchObject({ differenceCount: 0 })
  })
})

describe('kill −9', () => {
  it.each(['read', 'locked', 'written'])(
    'when %s leaves everything as it was, and the next one works',
    async (step) => {
      await using pipeline = await makePipeline()
      await throughWorker(pipeline, valuesOf(2000))
      const changed = withSettings(pipeline, { WINDOW_SECONDS: '60' })
      const doomed = runScript('test/integration/children/doomed-rebuild.ts', [step], changed.env)
      expect(await doomed.exited, doomed.stderr()).toEqual({ code: null, signal: 'SIGKILL' })
      await until(
        'the lock free',
        () =>
          pipeline.owner.query<{ locks: number }>({
            text: `SELECT count(*) AS locks FROM pg_locks JOIN pg_database d ON d.oid = database
            WHERE relation = 'kpi_earlier_rows'::regclass AND datname = current_database()
              AND mode = 'ShareUpdateExclusiveLock'`,
          }),
        ([found]) => found?.locks === 0,
      )
      expect(await verifyPipeline(pipeline)).toMatchObject(allRight)
      await rebuildPipeline(changed)
      expect(await verifyPipeline(changed)).toMatchObject(allRight)
    },
  )
})
