// What a feed answers over HTTP: whether it lives, whether its messages are taken, how the pipeline is, what it sent.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { anyDiskEnv } from '../scenes/observing.ts'
import { makePipeline, type Pipeline } from '../scenes/pipeline.ts'
import { marketKpi, type Run } from '../scenes/processes.ts'
import { ServiceAnswers } from '../scenes/service-answers.ts'
import { countOf } from '../scenes/topic-content.ts'
import { until } from '../scenes/until.ts'
import { TcpProxy } from '../servers/tcp-proxy.ts'

function startFeed(args: readonly string[], env: Record<string, string>): Run {
  return marketKpi(['feed', '--rate', '200', '--http-port', '0', ...args], { ...anyDiskEnv, ...env })
}

async function stop(feed: Run): Promise<void> {
  feed.child.kill('SIGTERM')
  expect(await feed.exited, feed.stderr()).toEqual({ code: 0, signal: null })
}

/** Without a database, which a feed does not need. */
const withoutDatabase = ({ env }: Pipeline, bootstrap: string) => ({
  ...env,
  KAFKA_BOOTSTRAP_SERVERS: bootstrap,
  DATABASE_URL: '',
})

interface OwnHealth {
  readonly status: string
  readonly checks: { readonly 'kafka:connectivity': readonly [{ readonly observedValue: number | null }] }
}

it('counts what it sent, and tells how the whole pipeline is', async () => {
  await using pipeline = await makePipeline()
  const feed = startFeed([], pipeline.env)
  const answers = await ServiceAnswers.of(feed)
  const startedSeconds = Date.now() / 1000
  const sent = () => answers.metric('market_kpi_feed_messages_sent_total')
  await until('messages sent', sent, (count) => (count ?? 0) > 100)
  expect(await answers.get('/livez')).toMatchObject({ status: 200, text: 'ok\n' })
  expect(await answers.get('/readyz')).toMatchObject({ status: 200, text: 'ok\n' })
  expect(await answers.metric('market_kpi_feed_info{source="simulate"}')).toBe(1)
  expect(await answers.metric('market_kpi_feed_kafka_up')).toBe(1)
  expect(await answers.metric('market_kpi_feed_ready')).toBe(1)
  expect(await answers.metric('market_kpi_feed_last_message_timestamp_seconds')).toBeGreaterThan(startedSeconds - 60)

  // Nobody reads what it sends.
  const health = await until(
    'a pipeline that lacks its consumer',
    () => answers.get('/health'),
    ({ status }) => status === 503,
  )
  expect(health.type).toBe('application/health+json')
  expect(JSON.parse(health.text)).toMatchObject({
    status: 'fail',
    firstBrokenStage: 'consumer',
    checks: { 'kafka:connectivity': [{ status: 'pass' }], 'consumer:lag': [{ status: 'fail' }] },
    feed: { state: 'sending', notReady: [] },
  })
  const http = () => pipeline.owner.query<{ http: string }>({ text: `SELECT http FROM worker_status` })
  await until('its row', http, ([row]) => row?.http === answers.url)
  await stop(feed)
  await expect(answers.get('/livez')).rejects.toThrow('fetch failed')
})

it('is not ready while the brokers are away, and says so without a database too', async () => {
  await using pipeline = await makePipeline()
  await using proxy = await TcpProxy.startKafka(pipeline.env.KAFKA_BOOTSTRAP_SERVERS ?? '')
  const feed = startFeed([], withoutDatabase(pipeline, proxy.address))
  const answers = await ServiceAnswers.of(feed)
  const health = async () => JSON.parse((await answers.get('/health')).text) as OwnHealth
  expect(await health()).toMatchObject({
    status: 'pass',
    description: expect.stringMatching(/^the feed into the topic 'test-.*'; no database is configured, /),
    checks: { 'kafka:connectivity': [{ status: 'pass', observedValue: expect.any(Number), observedUnit: 'ms' }] },
    feed: { notReady: [] },
  })
  proxy.isOpen = false
  proxy.cut()
  expect(await answers.untilReady(false)).toMatch(/^the brokers take no messages, \d+ wait\n$/)
  expect(await answers.metric('market_kpi_feed_kafka_up')).toBe(0)
  expect((await answers.get('/livez')).status).toBe(200)
  const failing = await until('a health that knows', health, ({ status }) => status === 'fail')
  expect(failing).toMatchObject({ output: expect.stringContaining('the brokers take no messages') })
  const unseen = ({ checks }: OwnHealth) => checks['kafka:connectivity'][0].observedValue === null
  expect(await until('brokers that do not answer', health, unseen)).toMatchObject({
    checks: { 'kafka:connectivity': [{ status: 'fail', output: expect.stringContaining('does not answer') }] },
  })
  await until(
    'messages that wait',
    () => answers.metric('market_kpi_feed_messages_waiting'),
    (count) => (count ?? 0) > 100,
  )

  proxy.isOpen = true
  await answers.untilReady(true)
  await until('well again', health, ({ status }) => status === 'pass')
  await stop(feed)
  expect(feed.stderr()).toContain(
    `sent ${(await countOf(pipeline.cluster, pipeline.metadata.topic)).toLocaleString('en-US')} messages`,
  )
})

it('is not ready within seconds when a broker falls silent, long before its request times out', async () => {
  await using pipeline = await makePipeline()
  await using proxy = await TcpProxy.startKafka(pipeline.env.KAFKA_BOOTSTRAP_SERVERS ?? '')
  const feed = startFeed([], withoutDatabase(pipeline, proxy.address))
  const answers = await ServiceAnswers.of(feed)
  await answers.untilReady(true)
  // Before the first answer it is a connection that cannot be opened, which takes longer to tell.
  await until(
    'messages sent',
    () => answers.metric('market_kpi_feed_messages_sent_total'),
    (count) => (count ?? 0) > 0,
  )
  proxy.isDeaf = true
  const began = performance.now()
  expect(await answers.untilReady(false)).toMatch(/^the brokers have not answered for \d s, \d+ messages wait\n$/)
  expect(performance.now() - began).toBeLessThan(15_000)
  expect(JSON.parse((await answers.get('/health')).text)).toMatchObject({
    checks: {
      'kafka:connectivity': [{ output: 'Kafka did not answer within 3 s' }],
      'feed:waiting': [{ status: 'fail' }],
    },
  })
  proxy.isDeaf = false
  proxy.cut()
  await answers.untilReady(true)
  await stop(feed)
})

it('a port that is taken is told in one line, and nothing is sent', async () => {
  await using pipeline = await makePipeline()
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const { port } = other.address() as AddressInfo
  const feed = startFeed(['--http-port', String(port)], pipeline.env)
  expect(await feed.exited).toEqual({ code: 1, signal: null })
  expect(feed.stderr()).toBe(`port ${port} is taken: name a free one, or 0 for any\n`)
  expect(await countOf(pipeline.cluster, pipeline.metadata.topic)).toBe(0)
  other.close()
})
