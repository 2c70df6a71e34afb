// What becomes of commits while the database goes away, breaks off or has no connection left: on a database of its own.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ownerRole } from '../../../src/embedded/postgres/postgres-server.ts'
import { KpiError } from '../../../src/errors.ts'
import { partialOf } from '../../../src/kpi/partial.ts'
import { pause } from '../../../src/runtime/abort.ts'
import { Backoff } from '../../../src/runtime/backoff.ts'
import { type Database, openDatabase } from '../../../src/store/client/connection.ts'
import { readPositions } from '../../../src/store/positions/positions.ts'
import { StoreScene, type StoreServer } from '../scenes/store-scene.ts'
import { until } from '../scenes/until.ts'
import { OwnServers } from '../servers/own-servers.ts'
import { TcpProxy } from '../servers/tcp-proxy.ts'

const own = new OwnServers()
let server: StoreServer

beforeAll(async () => {
  await own.startPostgres()
  const { postgres } = own
  server = { ownerUrl: postgres.url(ownerRole, 'postgres'), pipelinePassword: postgres.secrets.pipeline }
})

afterAll(() => own.stop())

const retryable = { code: 'KPI_POSTGRES_UNREACHABLE', retryable: true }

function row(offset: number) {
  const bar = { symbol: `S${offset % 5}`, timestampUs: offset, open: 1n, high: 1n, low: 1n, close: 1n, volume: 1n }
  return partialOf(bar, { windowStartUs: 0, partition: 0, offset, isLate: false })
}

/** One message at this offset of partition 0. */
function commitOne(scene: StoreScene, worker: Database, offset: number): Promise<void> {
  return scene.commit(worker, [{ partition: 0, from: offset, merged: 1 }], [row(offset)])
}

/** As a worker does it: tries again what may pass, and takes a position that has moved to mean that it was written. */
async function commitUntilWritten(scene: StoreScene, worker: Database, offset: number): Promise<'written' | 'moved'> {
  const backoff = new Backoff({ firstMs: 20, capMs: 500 })
  for (;;) {
    try {
      await commitOne(scene, worker, offset)
      return 'written'
    } catch (error) {
      if (!(error instanceof KpiError && error.retryable)) throw error
      if (error.code === 'KPI_POSITION_MOVED') return 'moved'
    }
    await pause(backoff.nextMs())
  }
}

async function expectCounted(scene: StoreScene, worker: Database, count: number): Promise<void> {
  const [position] = await readPositions(worker, scene.key, [0])
  expect(position?.nextOffset).toBe(count)
  const [sum] = await worker.query<{ n: number }>({
    text: 'SELECT sum(trade_count)::bigint AS n FROM kpi_market_prices',
  })
  expect(sum?.n).toBe(count)
}

describe('a database that', () => {
  it('is killed and started again while batches are committed keeps each once', async () => {
    await using scene = await StoreScene.open({ server })
    const worker = await scene.worker({ maxConnections: 1 })
    let offset = 0
    let isOver = false
    const committing = (async () => {
      while (!isOver) {
        await commitUntilWritten(scene, worker, offset)
        offset += 1
      }
    })()
    for (let kill = 0; kill < 3; kill++) {
      const seen = offset
      await until(
        'progress',
        () => offset,
        (now) => now > seen + 20,
      )
      own.postgres.kill()
      await own.postgres.exited
      await own.startPostgres()
    }
    isOver = true
    await committing
    await expectCounted(scene, worker, offset)
  })

  it('shuts down under an open transaction does not end us', async () => {
    await using scene = await StoreScene.open({ server })
    const worker = await scene.worker({ maxConnections: 1 })
    const failed = worker.transaction(async (client) => {
      await client.query('SELECT 1')
      own.postgres.kill()
      await own.postgres.exited
      // The connection breaks here, between two statements, where nobody waits for it.
      await until(
        'a broken connection',
        () =>
          client.query('SELECT 1').then(
            () => false,
            () => true,
          ),
        Boolean,
      )
      await client.query('SELECT 1')
    })
    await expect(failed).rejects.toMatchObject(retryable)
    await expect(worker.query({ text: 'SELECT 1' })).rejects.toMatchObject(retryable)
    await own.startPostgres()
    expect(await worker.query({ text: 'SELECT 1 AS one' })).toEqual([{ one: 1 }])
  })

  it('is away is told with its address', async () => {
    await using scene = await StoreScene.open({ server })
    own.postgres.kill()
    await own.postgres.exited
    const { host, port } = scene.workerOptions
    const opened = openDatabase(scene.workerOptions, { maxConnections: 1, applicationName: 'test' })
    await expect(opened).rejects.toMatchObject({
      ...retryable,
      message: `PostgreSQL at ${host}:${port}/${scene.name} does not answer: connect ECONNREFUSED ${host}:${port}`,
    })
    await own.startPostgres()
  })

  it('ends our session is tried again', async () => {
    await using scene = await StoreScene.open({ server })
    const worker = await scene.worker({ maxConnections: 1 })
    await commitOne(scene, worker, 0)
    await scene.owner.query({
      text: `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'test worker'
        AND datname = current_database()`,
    })
    expect(await commitUntilWritten(scene, worker, 1)).toBe('written')
    await expectCounted(scene, worker, 2)
  })
})

describe('a connection that breaks', () => {
  it('after the batch was sent: it is written once, and the second try learns so', async () => {
    await using scene = await StoreScene.open({ server })
    await using proxy = await TcpProxy.start(`127.0.0.1:${own.postgres.port}`)
    const worker = await scene.worker({ maxConnections: 1, port: proxy.port })
    const direct = await scene.worker()
    for (let offset = 0; offset < 5; offset++) {
      await worker.query({ text: 'SELECT 1' }) // over a connection that stands
      proxy.isSilent = true
      const lost = commitOne(scene, worker, offset)
      const failure = expect(lost).rejects.toMatchObject(retryable)
      await until(
        'the batch written',
        () => readPositions(direct, scene.key, [0]),
        ([p]) => p?.nextOffset === offset + 1,
      )
      proxy.cut()
      await failure
      proxy.isSilent = false
      expect(await commitUntilWritten(scene, worker, offset)).toBe('moved')
    }
    await expectCounted(scene, direct, 5)
  })

  it('before the batch arrived: it is written by the second try', async () => {
    await using scene = await StoreScene.open({ server })
    await using proxy = await TcpProxy.start(`127.0.0.1:${own.postgres.port}`)
    const worker = await scene.worker({ maxConnections: 1, port: proxy.port })
    await worker.query({ text: 'SELECT 1' }) // over a connection that stands
    proxy.isDeaf = true
    const failure = expect(commitOne(scene, worker, 0)).rejects.toMatchObject(retryable)
    await until(
      'the batch under way',
      () => proxy.swallowedBytes,
      (bytes) => bytes > 0,
    )
    proxy.cut()
    proxy.isDeaf = false
    await failure
    expect(await commitUntilWritten(scene, worker, 0)).toBe('written')
    await expectCounted(scene, worker, 1)
  })

  it('while the first try still waits for a lock: the second waits behind it, and nothing is written twice', async () => {
    await using scene = await StoreScene.open({ server })
    await using proxy = await TcpProxy.start(`127.0.0.1:${own.postgres.port}`)
    const worker = await scene.worker({ maxConnections: 1, port: proxy.port })
    const result = await scene.owner.transaction(async (client) => {
      await client.query('SELECT FROM kpi_consumer_offsets WHERE partition = 0 FOR UPDATE')
      const lost = commitOne(scene, worker, 0)
      const failure = expect(lost).rejects.toMatchObject(retryable)
      const waiting = async () => {
        // Not by the transaction, which sees the same sessions to its end.
        const [row] = await scene.owner.query<{ n: number }>({
          text: `SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
        })
        return row?.n ?? 0
      }
      await until('one that waits', waiting, (n) => n === 1)
      proxy.cut()
      await failure
      const second = commitUntilWritten(scene, worker, 0)
      await until('two that wait', waiting, (n) => n === 2)
      return { second }
    })
    expect(await result.second).toBe('moved')
    await expectCounted(scene, worker, 1)
  })
})

describe('connections', () => {
  it('that are all in use for too long are a failure that may pass', async () => {
    await using scene = await StoreScene.open({ server })
    const worker = await scene.worker({ maxConnections: 1 })
    await worker.transaction(async () => {
      await expect(worker.query({ text: 'SELECT 1' })).rejects.toMatchObject({
        ...retryable,
        message: expect.stringContaining('timeout exceeded when trying to connect'),
      })
    })
    expect(await worker.query({ text: 'SELECT 1 AS one' })).toEqual([{ one: 1 }])
  })

  it('that the server has no more of are a failure that may pass', async () => {
    await using scene = await StoreScene.open({ server })
    await scene.owner.query({ text: `ALTER ROLE bi_user CONNECTION LIMIT 1` })
    try {
      const first = await scene.worker({ maxConnections: 1 })
      // The session that proved the way may not be gone yet.
      await until(
        'a connection',
        () =>
          first.query({ text: 'SELECT 1' }).then(
            () => true,
            () => false,
          ),
        Boolean,
      )
      await expect(scene.worker()).rejects.toMatchObject({
        ...retryable,
        message: expect.stringContaining('too many connections'),
      })
      expect(await first.query({ text: 'SELECT 1 AS one' })).toEqual([{ one: 1 }])
    } finally {
      await scene.owner.query({ text: `ALTER ROLE bi_user CONNECTION LIMIT -1` })
    }
  })

  it('with a wrong password, none, or a database that is missing say so', async () => {
    await using scene = await StoreScene.open({ server })
    const open = (changed: object) =>
      openDatabase({ ...scene.workerOptions, ...changed }, { maxConnections: 1, applicationName: 'test' })
    const auth = { code: 'KPI_POSTGRES_AUTH', retryable: false }
    await expect(open({ password: 'wrong' })).rejects.toMatchObject(auth)
    await expect(open({ password: undefined })).rejects.toMatchObject(auth)
    await expect(open({ database: 'not there' })).rejects.toMatchObject({
      code: 'KPI_DATABASE_MISSING',
      message: expect.stringContaining("create it with 'market-kpi init'"),
    })
  })

  it('prefer TLS, and do without where the server has none', async () => {
    await using scene = await StoreScene.open({ server })
    const open = (sslMode: 'prefer' | 'require') =>
      openDatabase({ ...scene.workerOptions, sslMode }, { maxConnections: 1, applicationName: 'test' })
    await expect(open('require')).rejects.toMatchObject({ message: expect.stringContaining('does not support SSL') })
    const database = await open('prefer')
    await database.close()
  })
})

it('a mistake of ours inside a transaction is thrown as it is, and takes the transaction back', async () => {
  await using scene = await StoreScene.open({ server })
  const worker = await scene.worker({ maxConnections: 1 })
  const mistaken = worker.transaction(async (client) => {
    await client.query('UPDATE kpi_consumer_offsets SET updated_at = now() WHERE partition = 0')
    throw new TypeError('our own')
  })
  await expect(mistaken).rejects.toThrow(TypeError)
  await commitOne(scene, worker, 0)
  await expectCounted(scene, worker, 1)
})
