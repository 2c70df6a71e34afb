// DECIMALS: prices of tokens worth next to nothing, to the last digit, through worker, retry, rebuild and verify.
import { describe, expect, it } from 'vitest'
import { LetterPayloads } from '../../../src/recovery/letter-payloads.ts'
import { LetterRetrier } from '../../../src/recovery/retry-letters.ts'
import { findLetter } from '../../../src/store/dead-letters/dead-letters.ts'
import { readDefinition } from '../../../src/store/schema/definition.ts'
import { alertsCheck } from '../scenes/alerting.ts'
import { marketOpenMs, send } from '../scenes/market.ts'
import { makePipeline, type Pipeline } from '../scenes/pipeline.ts'
import { marketKpi } from '../scenes/processes.ts'
import { rebuildPipeline, withSettings } from '../scenes/rebuilding.ts'
import { until } from '../scenes/until.ts'
import { verifyPipeline } from '../scenes/verification.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'

const allRight = { differenceCount: 0, uncheckedCount: 0, differences: [] }

/** With the digits of close and volume as they are written here. */
function message(close: string, volume: string, second: number, symbol = 'PEPE/USDT') {
  const timestamp = marketOpenMs + second * 1000
  return { symbol, value: `{"symbol":"${symbol}","timestamp":${timestamp},"close":${close},"volume":${volume}}` }
}

/** Of one window; some by the fast path, some by the full parser, whatever the setting. */
const messages = [
  message('0.000000123789', '1000', 0),
  message('0.000000123791', '0.000000000003', 1),
  message('1.2379e-7', '2', 2),
  message('0.00000012', '0.5', 3),
  message('187.18', '1200', 4, 'AAPL'),
  message('187.180000000001', '1', 5, 'AAPL'),
]

async function throughWorker(
  pipeline: Pipeline,
  values: readonly { symbol: string; value: string }[],
  counted: number,
) {
  await send(pipeline.cluster, pipeline.config.kafkaTopic, values)
  const worker = await startWorker(pipeline, { batchSize: 1, batchWaitMs: 1 })
  await untilCounted(pipeline, counted)
  await worker.stop()
}

const rowOf = async ({ owner }: Pipeline, symbol: string) => {
  const rows = await owner.query<Record<string, string>>({
    text: `SELECT min_close::text, max_close::text, open_price::text, close_price::text, total_volume::text,
        price_volatility::text, sum_close_sq::text, sum_close_volume::text, avg_close::text, vwap::text, close_stddev::text
      FROM kpi_market_prices WHERE symbol = $1`,
    values: [symbol],
  })
  expect(rows).toHaveLength(1)
  return rows[0]
}

const exact = {
  min_close: '0.000000120000',
  max_close: '0.000000123791',
  open_price: '0.000000123789',
  close_price: '0.000000120000',
  price_volatility: '0.000000003791',
  total_volume: '1002.500000000003',
  // 123789² + 123791² + 123790² + 120000², times 10^-24.
  sum_close_sq: '0.000000000000060371892302',
  // 123789·1000 + 123791·3·10^-12 + 123790·2 + 120000·0.5, times 10^-12; the smallest part is 371373·10^-24.
  sum_close_volume: '0.000124096580000000371373',
}

it.each([12, 18])('with %i decimals every digit is kept, by the worker and by verify', async (decimals) => {
  await using pipeline = await makePipeline({ partitions: 1, settings: { decimals: String(decimals) } })
  await throughWorker(pipeline, messages, messages.length)
  const zeros = (of: Record<string, string>, digits: number) =>
    Object.fromEntries(
      Object.entries(of).map(([name, text]) => [name, text + '0'.repeat(/^sum_/.test(name) ? 2 * digits : digits)]),
    )
  expect(await rowOf(pipeline, 'PEPE/USDT')).toMatchObject(zeros(exact, decimals - 12))
  expect(await rowOf(pipeline, 'AAPL')).toMatchObject(
    zeros(
      { min_close: '187.180000000000', max_close: '187.180000000001', price_volatility: '0.000000000001' },
      decimals - 12,
    ),
  )
  expect(await verifyPipeline(pipeline)).toMatchObject({ ...allRight, messages: messages.length })
})

it('averages and deviations have at least twelve significant digits', async () => {
  await using pipeline = await makePipeline({ partitions: 1, settings: { decimals: '18' } })
  // Sums of 3e-18 + 4e-18, of which the vwap is divided by much.
  const values = [message('3e-18', '999999999999999', 0), message('4e-18', '1e-18', 1), message('3e-18', '7', 2)]
  await throughWorker(pipeline, values, values.length)
  const row = await rowOf(pipeline, 'PEPE/USDT')
  for (const name of ['avg_close', 'vwap', 'close_stddev']) {
    expect(row?.[name]?.replace(/^0\.0*/, '').length, name).toBeGreaterThanOrEqual(12)
  }
  expect(await verifyPipeline(pipeline)).toMatchObject(allRight)
})

describe('another DECIMALS', () => {
  it('is refused until rebuild --all, which makes rows of the log that hold what the new setting keeps', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    await throughWorker(pipeline, messages, messages.length)
    expect(await rowOf(pipeline, 'PEPE/USDT')).toMatchObject({ min_close: '0.00000012', max_close: '0.00000012' })
    const finer = withSettings(pipeline, { DECIMALS: '12' })
    await expect(startWorker(finer)).rejects.toMatchObject({
      code: 'KPI_DEFINITION_MISMATCH',
      message: expect.stringContaining('DECIMALS 8 (here: 12)'),
    })
    await expect(rebuildPipeline(finer, { scope: {} })).rejects.toMatchObject({ code: 'KPI_DEFINITION_MISMATCH' })
    const old = await startWorker(pipeline)
    expect(await rebuildPipeline(pipeline, { isDryRun: true })).toMatchObject({
      precisionLost: [{ symbol: 'PEPE/USDT', messages: 3, text: '0.000000123789', decimals: 12 }],
    })
    expect(await rebuildPipeline(finer)).toMatchObject({
      kept: 0,
      rows: { changed: 2, leftAlone: 0 },
      precisionLost: [],
    })
    expect(await rowOf(pipeline, 'PEPE/USDT')).toMatchObject(exact)
    expect(await verifyPipeline(finer)).toMatchObject(allRight)

    await send(pipeline.cluster, pipeline.config.kafkaTopic, [message('0.000000123', '1', 6)])
    expect(await old.fatal).toMatchObject({ code: 'KPI_DEFINITION_MISMATCH' })
    await old.stop()
    await throughWorker(finer, [message('0.000000119999', '1', 7)], messages.length + 2)
    expect(await rowOf(pipeline, 'PEPE/USDT')).toMatchObject({
      min_close: '0.000000119999',
      close_price: '0.000000119999',
    })
    expect(await verifyPipeline(finer)).toMatchObject(allRight)
    expect(await rebuildPipeline(pipeline)).toMatchObject({ rows: { changed: 2, leftAlone: 0 } })
    expect(await verifyPipeline(pipeline)).toMatchObject(allRight)
  })

  it('decides anew whether a volume is below 0 after rounding', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    await throughWorker(pipeline, [...messages, message('1', '-1e-9', 8)], messages.length + 1)
    const finer = withSettings(pipeline, { DECIMALS: '9' })
    expect(await rebuildPipeline(finer)).toMatchObject({ letters: { added: 1 } })
    expect(await verifyPipeline(finer)).toMatchObject({ ...allRight, letters: 1 })
    expect(await rebuildPipeline(pipeline)).toMatchObject({ letters: { removed: 1 } })
    expect(await verifyPipeline(pipeline)).toMatchObject({ ...allRight, letters: 0 })
  })
})

it('a rejected message is retried with as many digits', async () => {
  await using pipeline = await makePipeline({ partitions: 1, settings: { decimals: '12' } })
  await throughWorker(pipeline, [...messages, { symbol: 'PEPE/USDT', value: '{' }], messages.length + 1)
  const { owner: database } = pipeline
  const definition = await readDefinition(database)
  const payloads = new LetterPayloads(() => Promise.reject(new Error('the value is given')))
  const retrier = new LetterRetrier({ database, definition, payloads, now: Date.now })
  const letter = await findLetter(database, definition.topic, { partition: 0, offset: messages.length })
  if (!letter) throw new Error('the message was not rejected')
  const corrected = Buffer.from(message('0.000000119999', '1e-12', 9).value)
  expect(await retrier.retry(letter, corrected)).toMatchObject({ outcome: 'merged' })
  expect(await rowOf(pipeline, 'PEPE/USDT')).toMatchObject({
    min_close: '0.000000119999',
    total_volume: '1002.500000000004',
  })
  expect(await verifyPipeline(pipeline)).toMatchObject({ ...allRight, retried: 1 })
  expect(await rebuildPipeline(pipeline)).toMatchObject({ rows: { changed: 0, added: 0, removed: 0 } })
})

it('a worker counts, logs and reports numbers that lose precision, and alerts name the symbol', async () => {
  await using pipeline = await makePipeline({ partitions: 1 })
  await send(pipeline.cluster, pipeline.config.kafkaTopic, messages)
  const consume = marketKpi(['consume', '--http-port', '0'], pipeline.env)
  const check = async () => JSON.parse((await alertsCheck(pipeline.env, '--json')).stdout)
  const isLoss = ({ rule }: { rule: string | null }) => rule === 'PrecisionLost'
  const findings = await until('a finding', check, (all) => all.some(isLoss), 60_000)
  expect(findings.find(isLoss)).toMatchObject({
    check: 'Decimal places',
    severity: 'warning',
    labels: { symbol: 'PEPE/USDT' },
    value: 3,
    summary:
      '3 messages of PEPE/USDT lost precision: close 0.000000123789 is rounded to 8 decimal places; DECIMALS=12 keeps it',
  })
  const [status] = await pipeline.owner.query<{ http: string }>({ text: 'SELECT http FROM worker_status' })
  const metrics = await (await fetch(`${status?.http}/metrics`)).text()
  expect(metrics).toMatch(/^market_kpi_worker_precision_lost_total 3$/m)
  consume.child.kill('SIGTERM')
  expect(await consume.exited).toMatchObject({ code: 0 })
  const logged = consume
    .stderr()
    .split('\n')
    .filter((line) => line.includes('one ten-thousandth'))
  expect(logged).toEqual([expect.stringMatching(/close 0\.000000123789 of PEPE\/USDT .*: DECIMALS=12 keeps it/)])
})
