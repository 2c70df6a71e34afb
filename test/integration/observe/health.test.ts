// `health` as a command, on a pipeline that works and on one in which one thing at a time does not.
import { expect, it } from 'vitest'
import { loadConfig } from '../../../src/config/load.ts'
import { deleteTopic } from '../scenes/kafka-topic.ts'
import { anyDiskEnv, health, sendNow, untilCheck } from '../scenes/observing.ts'
import { makePipeline } from '../scenes/pipeline.ts'
import { marketKpi } from '../scenes/processes.ts'
import { until } from '../scenes/until.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'

const firstNames = ['Kafka connectivity', 'Kafka topic', 'PostgreSQL connectivity', 'KPI table', 'Consumer lag']

it('prints the six lines of a pipeline that works, and ends with 0', async () => {
  await using pipeline = await makePipeline()
  const worker = await startWorker(pipeline)
  await sendNow(pipeline, 100)
  await untilCounted(pipeline, 100)
  const { env, config } = pipeline
  const { code, stdout, stderr } = await health(env)
  const lines = stdout.trimEnd().split('\n')
  const rows = Number(/(\d+) rows/.exec(lines[3] ?? '')?.[1])
  expect(rows).toBeGreaterThanOrEqual(10)
  expect(lines.slice(0, 5)).toEqual([
    'Kafka connectivity: OK',
    `Kafka topic '${config.kafkaTopic}': OK - 3 partitions`,
    'PostgreSQL connectivity: OK',
    `KPI table: OK - ${rows} rows`,
    'Consumer lag: OK - 0 messages',
  ])
  expect(lines.slice(-2)).toEqual(['', 'ALL SYSTEMS OPERATIONAL ✓'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })

  expect(await health(env, '--quiet')).toEqual({ code: 0, stdout: '', stderr: '' })

  const json = await health(env, '--json')
  expect(json.code).toBe(0)
  const answer = JSON.parse(json.stdout)
  expect(answer).toMatchObject({ status: 'pass', firstBrokenStage: null })
  expect(Object.keys(answer.checks).sort()).toEqual([
    'consumer:errors',
    'consumer:lag',
    'consumer:throughput',
    'feed:activity',
    'kafka:connectivity',
    'kafka:disk',
    'kafka:topic',
    'kpi:freshness',
    'kpi:precision',
    'postgres:connectivity',
    'postgres:pool',
    'postgres:schema',
  ])
  expect(answer.checks['consumer:lag']).toEqual([
    { status: 'pass', observedValue: 0, observedUnit: 'messages', time: expect.stringMatching(/^\d{4}-.*Z$/) },
  ])

  const { code: perfCode, stdout: perfdata } = await health(env, '--perfdata')
  expect(perfCode).toBe(0)
  expect(perfdata).toMatch(/^MARKET-KPI OK - ALL SYSTEMS OPERATIONAL ✓ \| consumer_lag=0;1000;;0 throughput=\S+ .*\n$/)
  await worker.stop()
})

it('without a worker: the consumer is what is broken', async () => {
  await using pipeline = await makePipeline()
  await sendNow(pipeline, 10)
  const { code, stdout } = await health(pipeline.env)
  expect(stdout).toMatch(/^Consumer lag: FAILED - the group '.*' has no members$/m)
  expect(stdout).toMatch(/^SYSTEM FAILURE: Consumer - the group '.*' has no members$/m)
  expect(code).toBe(2)
  const quiet = await health(pipeline.env, '--quiet')
  expect(quiet.stdout.split('\n').filter((line) => line !== '')).toHaveLength(2)
})

it('with a worker that lives and does not get on: its partitions are stalled (kafkajs#1010)', async () => {
  await using pipeline = await makePipeline()
  const worker = await startWorker(pipeline)
  await sendNow(pipeline, 30)
  await untilCounted(pipeline, 30)
  // A worker that waits for a lock is a member, is alive, and does nothing.
  const held = Promise.withResolvers<void>()
  const locked = Promise.withResolvers<void>()
  const holding = pipeline.owner.transaction(async (client) => {
    await client.query('SELECT FROM kpi_consumer_offsets FOR UPDATE')
    locked.resolve()
    await held.promise
  })
  await locked.promise
  await sendNow(pipeline, 30)
  const env = { ...pipeline.env, STALLED_SECONDS: '1' }
  const text = await untilCheck(loadConfig({ env }), 'consumer:lag', 'failed')
  expect(text).toMatch(/^partitions? .*: its position has not moved for 1 s$/)
  const { code, stdout } = await health(env)
  expect(stdout).toMatch(/^Consumer lag: FAILED - partitions? .*: its position has not moved for 1 s$/m)
  expect(stdout).toMatch(/^SYSTEM FAILURE: Consumer - /m)
  expect(code).toBe(2)
  held.resolve()
  await holding
  await untilCounted(pipeline, 60)
  await worker.stop()
})

it('without its topic: Kafka is what is broken, and what follows from it is not', async () => {
  await using pipeline = await makePipeline()
  await deleteTopic(pipeline.cluster, pipeline.config.kafkaTopic)
  await untilCheck(pipeline.config, 'kafka:topic', 'failed')
  const { code, stdout } = await health(pipeline.env)
  expect(stdout).toContain('Kafka connectivity: OK\n')
  expect(stdout).toMatch(
    /^Kafka topic '.*': FAILED - the topic '.*' does not exist: 'market-kpi init --accept-new-topic' creates it and keeps/m,
  )
  expect(stdout).toContain('PostgreSQL connectivity: OK\n')
  expect(stdout).toMatch(/^SYSTEM FAILURE: Kafka - the topic /m)
  expect(code).toBe(2)
})

it('with a column dropped: the table is what is broken', async () => {
  await using pipeline = await makePipeline()
  const worker = await startWorker(pipeline)
  await sendNow(pipeline, 10)
  await untilCounted(pipeline, 10)
  await worker.stop()
  await pipeline.owner.query({ text: 'ALTER TABLE kpi_market_prices DROP COLUMN price_volatility CASCADE' })
  const { code, stdout } = await health(pipeline.env)
  expect(stdout).toContain('KPI table: FAILED - missing: kpi_market_prices.price_volatility, kpi_windows\n')
  expect(stdout).toMatch(/^SYSTEM FAILURE: PostgreSQL - missing: kpi_market_prices\.price_volatility, kpi_windows$/m)
  expect(code).toBe(2)
})

it('with a tenth of the messages bad: the error rate, here and at the /health of the worker', async () => {
  await using pipeline = await makePipeline()
  const consume = marketKpi(['consume', '--http-port', '0'], { ...anyDiskEnv, ...pipeline.env })
  await sendNow(pipeline, 200, 20)
  await untilCounted(pipeline, 200)
  const status = () =>
    pipeline.owner.query<{ rejected: number | null; http: string }>({
      text: `SELECT (detail->'recent'->>'rejected')::int AS rejected, http FROM worker_status`,
    })
  const [row] = await until('a worker that tells of it', status, ([worker]) => worker?.rejected === 20)
  const { code, stdout } = await health(pipeline.env)
  const line = /^Error rate: FAILED - 10 % of the messages of the last minutes were rejected \(not_json 20\)$/m
  expect(stdout).toMatch(line)
  expect(stdout).toMatch(/^SYSTEM FAILURE: Feed - 10 % of the messages/m)
  expect(code).toBe(2)
  const answer = await fetch(`${row?.http}/health`)
  expect(answer.status).toBe(503)
  expect(answer.headers.get('content-type')).toBe('application/health+json')
  expect(await answer.json()).toMatchObject({
    status: 'fail',
    firstBrokenStage: 'feed',
    checks: { 'consumer:errors': [{ status: 'fail', observedValue: 10 }] },
    worker: { state: 'reading', notReady: [] },
  })
  expect((await fetch(`${row?.http}/readyz`)).status).toBe(200)
  consume.child.kill('SIGTERM')
  await consume.exited
})

it('--watch looks again and again, and ends with what it saw last', async () => {
  await using pipeline = await makePipeline()
  const run = marketKpi(['health', '--watch', '0.5', '--quiet'], { ...anyDiskEnv, ...pipeline.env })
  await until(
    'two looks',
    () => run.stdout().match(/^SYSTEM FAILURE: Consumer/gm) ?? [],
    (observations) => observations.length >= 2,
  )
  run.child.kill('SIGTERM')
  expect(await run.exited).toEqual({ code: 2, signal: null })
})

it.each([
  ['servers that nobody named', {}, ['--data-dir', 'unused'], /^no servers are named, and nothing runs in /],
  [
    'thresholds out of order',
    { LAG_WARNING_MESSAGES: '50' },
    [],
    /LAG_TARGET_MESSAGES=100: must be below LAG_WARNING_MESSAGES=50/,
  ],
  ['an argument that cannot be', {}, ['--watch', 'often'], /--watch/],
])('ends with 3 on %s', async (_what, env, args, line) => {
  const { code, stdout, stderr } = await health(env as Record<string, string>, ...args)
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
  expect(stderr).toMatch(line)
  expect(stderr.trimEnd().split('\n')).toHaveLength(1)
})

it('shows no secret, whatever is wrong', async () => {
  const secret = 'hunter2-very-secret'
  const { stdout, stderr } = await health(
    { KAFKA_BOOTSTRAP_SERVERS: '127.0.0.1:1', DATABASE_URL: `postgresql://bi_user:${secret}@127.0.0.1:1/bi_realtime` },
    '--json',
  )
  expect(stdout).toContain('does not answer')
  expect(stdout + stderr).not.toContain(secret)
})

it('names the checks every reader knows first', async () => {
  const servers = { KAFKA_BOOTSTRAP_SERVERS: '127.0.0.1:1', DATABASE_URL: 'postgresql://a:b@127.0.0.1:1/c' }
  const { code, stdout } = await health(servers)
  const lines = stdout.split('\n').slice(0, 5)
  for (const [index, name] of firstNames.entries()) expect(lines[index]).toMatch(new RegExp(`^${name}.*: FAILED - `))
  expect(code).toBe(2)
})
