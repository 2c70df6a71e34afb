// Debian's PgBouncer before the database: in session mode everything works, in any other mode nothing even begins.
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { loadConfig } from '../../../src/config/load.ts'
import { pipelineRole } from '../../../src/embedded/postgres/postgres-server.ts'
import {
  openDatabase,
  type PostgresOptions,
  postgresOptions,
  withClient,
} from '../../../src/store/client/connection.ts'
import { prepareSchema } from '../../../src/store/schema/schema.ts'
import { AlertReceiver, watchAlerts } from '../scenes/alerting.ts'
import { countersOf } from '../scenes/market.ts'
import { sendNow } from '../scenes/observing.ts'
import { makePipeline, type Pipeline } from '../scenes/pipeline.ts'
import { marketKpi, type Run } from '../scenes/processes.ts'
import { until } from '../scenes/until.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'
import { needPgBouncer, RealPgBouncer } from '../servers/real-pgbouncer.ts'

const running: Run[] = []
let pooler: RealPgBouncer
let pipeline: Pipeline

beforeEach(async (context) => {
  needPgBouncer(context)
  pooler = new RealPgBouncer()
  pipeline = await makePipeline()
})

afterEach(async () => {
  for (const { child } of running) child.kill('SIGKILL')
  await Promise.all(running.splice(0).map(({ exited }) => exited))
  await pooler.stop()
  await pipeline[Symbol.asyncDispose]()
})

async function startPooler(
  mode: 'session' | 'transaction' | 'statement',
  settings: Record<string, string | number> = {},
) {
  const owner = new URL(inject('ownerUrl'))
  const passwords = {
    [owner.username]: decodeURIComponent(owner.password),
    [pipelineRole]: inject('pipelinePassword'),
    bi_reader: inject('readerPassword'),
  }
  await pooler.start({ mode, serverUrl: owner.href, passwords, settings })
}

/** The environment of the pipeline's commands, by way of the pooler. */
function envThrough(): Record<string, string> {
  return { ...pipeline.env, DATABASE_URL: pooler.through(pipeline.env.DATABASE_URL ?? '') }
}

function optionsThrough(url = pipeline.env.DATABASE_URL ?? ''): PostgresOptions {
  return postgresOptions(loadConfig({ env: { DATABASE_URL: pooler.through(url), POSTGRES_SSLMODE: 'disable' } }))
}

const pooled = { maxConnections: 1, applicationName: 'test' }
const refused = expect.objectContaining({ code: 'KPI_POSTGRES_POOLED', message: expect.stringContaining('session') })

describe('a pooler that does not keep a session', () => {
  it.each<['transaction' | 'statement', string, Record<string, string | number>]>([
    ['transaction', "Debian's settings", {}],
    ['transaction', 'servers in turn', { server_round_robin: 1 }],
    ['transaction', 'one server', { default_pool_size: 1 }],
    ['transaction', 'a reset after each transaction', { server_reset_query_always: 1 }],
    ['statement', "Debian's settings", {}],
  ])('is refused by the first connection: %s mode, %s', async (mode, _, settings) => {
    await startPooler(mode, settings)
    await expect(openDatabase(optionsThrough(), pooled)).rejects.toEqual(refused)
    await expect(withClient(optionsThrough(), async () => 1)).rejects.toEqual(refused)
    await expect(prepareSchema(optionsThrough(pipeline.ownerUrl), {})).rejects.toEqual(refused)
  })

  it('is refused however busy it is', async () => {
    await startPooler('transaction')
    const stop = new AbortController()
    // Not ours: clients that may well share their sessions.
    const others = new pg.Pool({ connectionString: pooler.through(pipeline.env.DATABASE_URL ?? ''), max: 8 })
    const load = Array.from({ length: 8 }, async () => {
      while (!stop.signal.aborted) await others.query('SELECT 1')
    })
    try {
      for (let round = 0; round < 3; round += 1) {
        await expect(openDatabase(optionsThrough(), pooled)).rejects.toEqual(refused)
      }
    } finally {
      stop.abort()
      await Promise.all(load)
      await others.end()
    }
  })

  it.each([
    { args: ['consume'], code: 1, lines: 1 },
    { args: ['offsets', 'show'], code: 1, lines: 1 },
    { args: ['dead-letters', 'list'], code: 1, lines: 1 },
    { args: ['alerts', 'list'], code: 1, lines: 1 },
    { args: ['init'], code: 1, lines: 1 },
    // The line of its check, and the verdict.
    { args: ['health'], code: 2, lines: 2 },
  ])('$args ends and names session mode', async ({ args, code, lines }) => {
    await startPooler('transaction')
    const env = envThrough()
    if (args[0] === 'init') env.DATABASE_URL = pooler.through(pipeline.ownerUrl)
    const run = marketKpi(args, env)
    running.push(run)
    expect(await run.exited).toMatchObject({ code })
    const told = `${run.stdout()}\n${run.stderr()}`.split('\n').filter((line) => line.includes('pool_mode = session'))
    expect(told).toHaveLength(lines)
    expect(run.stderr()).not.toMatch(/^\s+at /m)
  })
})

describe('a pooler in session mode', () => {
  it('is as good as PostgreSQL: a worker counts, and its sessions have our settings', async () => {
    await startPooler('session')
    const config = loadConfig({ env: envThrough() })
    const worker = await startWorker({ config })
    await sendNow(pipeline, 500)
    await untilCounted(pipeline, 500)
    await worker.stop()
    expect(await countersOf(pipeline.owner)).toMatchObject({ merged: 500, rejected: 0 })
    const database = await openDatabase(optionsThrough(), pooled)
    const [row] = await database.query<{ path: string; timeout: string }>({
      text: `SELECT current_setting('search_path') AS path, current_setting('statement_timeout') AS timeout`,
    })
    expect(row).toEqual({ path: 'public', timeout: '1min' })
    await database.close()
  })

  it('leaves one of two evaluators to send, and the other takes over', async () => {
    await startPooler('session')
    const receiver = await AlertReceiver.start()
    const start = async () => {
      const run = watchAlerts(envThrough(), receiver)
      running.push(run)
      await until('watching', run.stderr, (said) => /this evaluator is (the leader|on standby)/.test(said))
      return run
    }
    const first = await start()
    await until('leads', first.stderr, (said) => said.includes('this evaluator is the leader'))
    const second = await start()
    await receiver.untilTold('NoConsumer', ['firing'])
    expect(second.stderr()).not.toContain('this evaluator is the leader')
    first.child.kill('SIGKILL')
    await until('taken over', second.stderr, (said) => said.includes('this evaluator is the leader'))
    await receiver.stop()
  })
})
