// One data directory, from its first `up` over kills of every part and of `up` itself to its last end. The tests are
// the chapters of one story and run in their order.
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { KafkaCluster } from '../../../src/kafka/client/cluster.ts'
import { listOffsets } from '../../../src/kafka/log/offsets.ts'
import { choosePort, isFree } from '../../../src/process/ports.ts'
import type { Endpoints } from '../../../src/stack/endpoints.ts'
import { temporaryFolder } from '../../temporary-folder.ts'
import { marketKpi } from '../scenes/processes.ts'
import { until } from '../scenes/until.ts'
import { isThere, query, totals, UpProcess } from '../scenes/up-process.ts'

const stopLimitMs = 20_000
const folder = temporaryFolder()
const dataDir = join(folder.path, 'data')
let up: UpProcess
let known = { rows: 0, positions: [] as readonly number[] }

/** The rows have grown since we last looked, and nothing that stood in them is gone. */
async function expectGrowth(): Promise<void> {
  const { rows, positions } = known
  known = await until(
    `more than ${rows} messages in the rows`,
    () => totals(up.endpoints.postgres),
    (now) => now.rows > rows + 20,
  )
  for (const [partition, position] of positions.entries()) {
    expect(known.positions[partition]).toBeGreaterThanOrEqual(position)
  }
}

async function occupy(port: number): Promise<Server> {
  const server = createServer().listen({ port, host: '127.0.0.1' })
  await once(server, 'listening')
  return server
}

/** A port whose neighbour above is free too, so that it is known which one comes next. */
async function freePair(): Promise<number> {
  for (;;) {
    const port = await choosePort(0)
    if (port < 65_000 && (await isFree(port + 1))) return port
  }
}

afterAll(async () => {
  await up[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

describe('the first start, with two workers and both ports taken', () => {
  let taken: { kafka: Server; postgres: Server }

  beforeAll(async () => {
    taken = { kafka: await occupy(await freePair()), postgres: await occupy(await freePair()) }
    const [kafka, postgres] = [portOf(taken.kafka), portOf(taken.postgres)].map(String)
    up = new UpProcess(dataDir, ['--workers', '2', '--kafka-port', kafka ?? '', '--postgres-port', postgres ?? ''])
    await up.ready()
  })

  afterAll(() => {
    taken.kafka.close()
    taken.postgres.close()
  })

  it('gets the next free ports, and says so', () => {
    for (const [title, server] of [
      ['Kafka', taken.kafka],
      ['PostgreSQL', taken.postgres],
    ] as const) {
      expect(up.run.stderr()).toMatch(new RegExp(`WARN: port ${portOf(server)} is taken: ${title} gets \\d+\n`))
    }
    expect(up.endpoints.kafka).toBe(`127.0.0.1:${portOf(taken.kafka) + 1}`)
    expect(new URL(up.endpoints.postgres).port).toBe(String(portOf(taken.postgres) + 1))
  })

  it('writes endpoints.json as the contract has it, for its owner alone to read', () => {
    const pid = expect.any(Number)
    const worker = expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(up.endpoints).toEqual({
      pid: up.run.pid,
      kafka: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      topic: 'market-prices',
      group: 'market-kpi-processor',
      postgres: expect.stringMatching(/^postgresql:\/\/market_kpi_owner:[^@]+@127\.0\.0\.1:\d+\/bi_realtime$/),
      postgresPipeline: expect.stringMatching(/^postgresql:\/\/bi_user:[^@]+@127\.0\.0\.1:\d+\/bi_realtime$/),
      postgresReader: expect.stringMatching(/^postgresql:\/\/bi_reader:[^@]+@127\.0\.0\.1:\d+\/bi_realtime$/),
      workers: [worker, worker],
      feed: worker,
      alerts: worker,
      pids: { kafka: pid, postgres: pid, workers: [pid, pid], alerts: pid },
    })
    expect(new Set(up.endpoints.workers).size).toBe(2)
    expect(statSync(join(dataDir, 'endpoints.json')).mode & 0o777).toBe(0o600)
    expect(up.leftovers().length).toBeGreaterThanOrEqual(6)
  })

  it('prints what runs where and what to try next, and last the line that starts with ready', () => {
    const { kafka, workers } = up.endpoints
    const table = up.run.stdout()
    for (const where of [kafka, ...workers, dataDir]) expect(table).toContain(where)
    expect(table).toMatch(/^ {4}the rows .*psql/m)
    expect(table).toMatch(/^ {4}stop .*Ctrl-C/m)
    expect(table.trimEnd().split('\n').at(-1)).toMatch(
      /^ready after \d+\.\d s: Kafka, PostgreSQL, feed, worker 1, worker 2, alerts$/,
    )
  })

  it('shows no password', () => {
    for (const url of [up.endpoints.postgres, up.endpoints.postgresReader ?? '']) {
      expect(up.run.stdout() + up.run.stderr()).not.toContain(new URL(url).password)
    }
  })

  it('fills rows that grow, and that the reader may read but not write', async () => {
    await expectGrowth()
    await expectGrowth()
    const reader = up.endpoints.postgresReader ?? ''
    const [row] = await query<{ symbol: string; vwap: string }>(reader, 'SELECT * FROM kpi_windows LIMIT 1')
    expect(row).toMatchObject({ symbol: expect.any(String), vwap: expect.any(String), window_state: 'forming' })
    await expect(query(reader, 'DELETE FROM kpi_market_prices')).rejects.toMatchObject({ code: 'KPI_POSTGRES_RIGHTS' })
  })

  it('refuses a second up in the same data directory, in one line, and is not disturbed by it', async () => {
    const second = new UpProcess(dataDir)
    expect(await second.run.exited).toEqual({ code: 1, signal: null })
    expect(second.run.stderr()).toBe(
      `another 'market-kpi up' (pid ${up.run.pid}) runs in ${dataDir}: stop it with 'market-kpi down --data-dir ${dataDir}', or name another --data-dir\n`,
    )
    expect(second.run.stdout()).toBe('')
    await expectGrowth()
  })
})

describe('a part that is killed', () => {
  /** Kills it and waits until endpoints.json names another. */
  async function killAndFollow(pidOf: (endpoints: Endpoints) => number | undefined): Promise<void> {
    const pid = pidOf(up.endpoints)
    process.kill(pid ?? -1, 'SIGKILL')
    await until(
      'another pid',
      () => pidOf(up.endpoints),
      (now) => now !== undefined && now !== pid,
    )
  }

  it.each<[string, (endpoints: Endpoints) => number | undefined]>([
    ['a worker', ({ pids }) => pids.workers[1]],
    ['PostgreSQL', ({ pids }) => pids.postgres],
    ['Kafka', ({ pids }) => pids.kafka],
    ['the alert evaluator', ({ pids }) => pids.alerts],
  ])('%s is started again at its place, endpoints.json follows, and nothing is lost', async (_, pidOf) => {
    const before = up.endpoints
    await killAndFollow(pidOf)
    const { kafka, postgres, workers } = up.endpoints
    expect({ kafka, postgres, workers }).toEqual({
      kafka: before.kafka,
      postgres: before.postgres,
      workers: before.workers,
    })
    await expectGrowth()
  })

  it('the feed is started again, and said so', async () => {
    const feed = up.leftovers().find((line) => / feed simulate /.test(line))
    process.kill(Number.parseInt(feed ?? '', 10), 'SIGKILL')
    await until(
      'the feed runs again',
      () => up.run.stderr(),
      (said) => /INFO: feed runs again \(pid \d+\)/.test(said),
    )
    expect(up.run.stderr()).toMatch(/ERROR: feed was killed \(SIGKILL\)\n/)
    await expectGrowth()
  })
})

it('down stops it from outside, and takes its addresses away', async () => {
  const down = marketKpi(['down', '--data-dir', dataDir])
  expect(await down.exited).toEqual({ code: 0, signal: null })
  expect(down.stdout()).toBe(`stopped the stack in ${dataDir} (pid ${up.run.pid})\n`)
  expect(await up.run.exited).toEqual({ code: 0, signal: null })
  expect(up.leftovers()).toEqual([])
  expect(['endpoints.json', 'env', 'up.lock'].filter((name) => isThere(dataDir, name))).toEqual([])
})

describe('the next start', () => {
  it('goes on where the last one ended', async () => {
    up = new UpProcess(dataDir)
    await up.ready()
    expect(up.run.stderr()).not.toContain('created')
    const now = await totals(up.endpoints.postgres)
    expect(now.rows).toBeGreaterThanOrEqual(known.rows)
    await expectGrowth()
  })
})

describe('after kill -9 of up itself', () => {
  let left: string[]

  it('the feed and the workers end by themselves, the servers wait', async () => {
    await up.end('SIGKILL')
    left = await until(
      'only servers left',
      () => up.leftovers().filter((line) => !line.includes(' postgres: ')),
      (lines) => lines.length === 2,
    )
    expect(left.map((line) => /kafka\.Kafka|bin\/postgres/.exec(line)?.[0]).sort()).toEqual([
      'bin/postgres',
      'kafka.Kafka',
    ])
    expect(isThere(dataDir, 'endpoints.json')).toBe(true)
  })

  it('the next up takes them down, says so, and goes on', async () => {
    up = new UpProcess(dataDir)
    await up.ready()
    for (const name of ['kafka', 'postgres']) {
      expect(up.run.stderr()).toMatch(
        new RegExp(`WARN: ${name} \\(pid \\d+\\) was left behind by an earlier run: stopping it\n`),
      )
    }
    expect(up.leftovers().filter((line) => left.includes(line))).toEqual([])
    const now = await totals(up.endpoints.postgres)
    expect(now.rows).toBeGreaterThanOrEqual(known.rows)
    await expectGrowth()
  })

  it('down does the same without starting anything', async () => {
    await up.end('SIGKILL')
    const down = marketKpi(['down', '--data-dir', dataDir])
    expect(await down.exited).toEqual({ code: 0, signal: null })
    expect(down.stdout()).toMatch(
      new RegExp(
        `^'market-kpi up' was gone already; stopped what it left behind in ${dataDir}: (\\w.*, )?postgres, kafka\n$`,
      ),
    )
    expect(up.leftovers()).toEqual([])
    expect(['endpoints.json', 'env', 'up.lock', 'run'].filter((name) => isThere(dataDir, name))).toEqual([])
    const again = marketKpi(['down', '--data-dir', dataDir])
    expect(await again.exited).toEqual({ code: 0, signal: null })
    expect(again.stdout()).toBe(`nothing runs in ${dataDir}\n`)
  })
})

describe('Ctrl-C', () => {
  it('ends everything in time, with exit code 0, and nothing is left', async () => {
    up = new UpProcess(dataDir)
    await up.ready()
    await expectGrowth()
    const { code, tookMs } = await up.end('SIGINT')
    expect(code).toBe(0)
    expect(tookMs).toBeLessThan(stopLimitMs)
    expect(up.leftovers()).toEqual([])
    expect(isThere(dataDir, 'endpoints.json')).toBe(false)
  })

  it('ends a start that is under way just so', async () => {
    up = new UpProcess(dataDir)
    await until(
      'servers are being started',
      () => up.leftovers(),
      (lines) => lines.some((line) => line.includes('kafka.Kafka')),
    )
    const { code, tookMs } = await up.end('SIGINT')
    expect(code).toBe(0)
    expect(tookMs).toBeLessThan(stopLimitMs)
    expect(up.run.stdout()).toBe('')
    expect(up.leftovers()).toEqual([])
  })

  it('lost nothing: what the feed sent stands in the rows', async () => {
    up = new UpProcess(dataDir, ['--feed', 'none'])
    await up.ready()
    await until('all of the log in the rows', lag, (messages) => messages === 0)
    const now = await totals(up.endpoints.postgres)
    expect(now.rows).toBeGreaterThanOrEqual(known.rows)
  })

  it('is in time though the servers do not answer any more, and leaves nothing either', async () => {
    const { kafka = -1, postgres = -1 } = up.endpoints.pids
    for (const pid of [kafka, postgres]) process.kill(pid, 'SIGSTOP')
    const { code, tookMs } = await up.end('SIGTERM')
    expect(code).toBe(0)
    expect(tookMs).toBeLessThan(stopLimitMs)
    expect(up.leftovers()).toEqual([])
  })
})

/** How far the rows are behind the end of the log. */
async function lag(): Promise<number> {
  const { kafka, topic, postgres } = up.endpoints
  const cluster = new KafkaCluster({ bootstrap: [kafka], clientId: 'market-kpi-test' })
  try {
    const ends = await listOffsets(cluster, await cluster.topicMetadata(topic), 'latest')
    const { positions } = await totals(postgres)
    return [...ends].reduce((sum, [partition, end]) => sum + end - (positions[partition] ?? 0), 0)
  } finally {
    await cluster.close()
  }
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}
