// A worker that has to stop while a server has fallen silent.
import { expect, it } from 'vitest'
import { TcpProxy } from '../../chaos/faults/tcp-proxy.ts'
import { seed } from '../../seed.ts'
import { countersOf, expectedRows, makeTrades, messageText, place, send, tableRows } from '../scenes/market.ts'
import { makePipeline } from '../scenes/pipeline.ts'
import { marketKpi } from '../scenes/processes.ts'
import { until } from '../scenes/until.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'
import { TcpProxy as SilencingProxy } from '../servers/tcp-proxy.ts'

const symbols = Array.from({ length: 20 }, (_, index) => `SYM${index}`)
/** The six seconds that `up` allows a worker, and something for a busy machine. */
const stopLimitMs = 9000

const blockedCommits = `
  SELECT count(*)::integer AS n FROM pg_stat_activity
  WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%kpi_commit%'`

it('a worker whose commit gets no answer is gone in time after SIGTERM, and nothing is lost', async () => {
  await using pipeline = await makePipeline()
  const { cluster, config, env, owner } = pipeline
  const trades = makeTrades({ seed, count: 2000, symbols })
  const values = trades.map((trade) => ({ symbol: trade.symbol, value: messageText(trade) }))
  const url = new URL(env.DATABASE_URL ?? '')
  const way = await TcpProxy.start(Number(url.port))
  url.port = String(way.port)
  // All in the first window, into which later ones come too.
  await send(cluster, config.kafkaTopic, values.slice(0, 100))
  const run = marketKpi(['consume', '--http-port', '0'], { ...env, DATABASE_URL: url.href })
  await untilCounted(pipeline, 100)
  await owner.transaction(async (locker) => {
    await locker.query('SELECT FROM kpi_market_prices FOR UPDATE')
    await send(cluster, config.kafkaTopic, values.slice(100))
    await until(
      'a commit that waits for a row',
      () => owner.query<{ n: number }>({ text: blockedCommits }),
      ([row]) => (row?.n ?? 0) > 0,
    )
    way.stall()
    const sinceMs = performance.now()
    run.child.kill('SIGTERM')
    expect(await run.exited, run.stderr()).toEqual({ code: 0, signal: null })
    expect(performance.now() - sinceMs).toBeLessThan(stopLimitMs)
  })
  await way.close()
  const next = await startWorker(pipeline)
  await untilCounted(pipeline, trades.length)
  await next.stop()
  expect(await tableRows(owner)).toEqual(expectedRows(place(trades, 3)))
  expect((await countersOf(owner)).merged).toBe(trades.length)
})

it.each(['KAFKA_BOOTSTRAP_SERVERS', 'DATABASE_URL'])(
  'a worker that still waits for the first word of %s is gone in time after SIGTERM',
  async (variable) => {
    await using pipeline = await makePipeline()
    const address = pipeline.env[variable] ?? ''
    const port = address.match(/:(\d+)(\/|$)/)?.[1] ?? ''
    const way = await TcpProxy.start(Number(port))
    way.stall()
    const env = { ...pipeline.env, [variable]: address.replace(`:${port}`, `:${way.port}`) }
    const run = marketKpi(['consume', '--http-port', '0'], env)
    await until(
      'a connection',
      () => way.connectionCount,
      (count) => count > 0,
    )
    const sinceMs = performance.now()
    run.child.kill('SIGTERM')
    expect(await run.exited, run.stderr()).toEqual({ code: 0, signal: null })
    expect(performance.now() - sinceMs).toBeLessThan(stopLimitMs)
    await way.close()
  },
)

it('a worker whose servers have both fallen silent is gone in time after SIGTERM (found by chaos)', async () => {
  await using pipeline = await makePipeline()
  const { cluster, config, env } = pipeline
  const trades = makeTrades({ seed, count: 400, symbols })
  const values = trades.map((trade) => ({ symbol: trade.symbol, value: messageText(trade) }))
  const url = new URL(env.DATABASE_URL ?? '')
  const toDatabase = await TcpProxy.start(Number(url.port))
  url.port = String(toDatabase.port)
  await using toKafka = await SilencingProxy.startKafka(env.KAFKA_BOOTSTRAP_SERVERS ?? '')
  await send(cluster, config.kafkaTopic, values.slice(0, 200))
  const servers = { DATABASE_URL: url.href, KAFKA_BOOTSTRAP_SERVERS: toKafka.address }
  const run = marketKpi(['consume', '--http-port', '0'], { ...env, ...servers })
  await untilCounted(pipeline, 200)
  toDatabase.stall()
  // In the worker's hands before Kafka falls silent, and never written.
  await send(cluster, config.kafkaTopic, values.slice(200))
  toKafka.isSilent = true
  toDatabase.cut(() => true)
  const sinceMs = performance.now()
  run.child.kill('SIGTERM')
  expect(await run.exited, run.stderr()).toEqual({ code: 0, signal: null })
  expect(performance.now() - sinceMs).toBeLessThan(7500)
  await toDatabase.close()
  const next = await startWorker(pipeline)
  await untilCounted(pipeline, trades.length)
  await next.stop()
})
