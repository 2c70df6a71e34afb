// worker_status: what workers say of themselves, for as long as they live and a day after.
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Database } from '../../../src/store/client/connection.ts'
import { type WorkerReport, WorkerStatusWriter } from '../../../src/store/positions/worker-status.ts'
import { TcpProxy as FaultyWay } from '../../chaos/faults/tcp-proxy.ts'
import { RecordingLog } from '../../recording-log.ts'
import { StoreScene } from '../scenes/store-scene.ts'
import { until } from '../scenes/until.ts'
import { TcpProxy } from '../servers/tcp-proxy.ts'

interface StatusRow {
  readonly worker_id: string
  readonly kind: string
  readonly state: string
  readonly messages_processed: number
  readonly stopped_at: Date | null
  readonly last_seen_at: Date
  readonly detail: unknown
  readonly partitions: number[] | null
  readonly pool_in_use: number | null
}

let scene: StoreScene
let database: Database

beforeAll(async () => {
  scene = await StoreScene.open()
  database = await scene.worker()
})

afterAll(() => scene[Symbol.asyncDispose]())

const quiet: WorkerReport = {
  state: 'reading',
  messagesProcessed: 0,
  batchesWritten: 0,
  errors: 0,
  throughputPerSecond: 0,
}

function writer(
  workerId: string,
  report: () => WorkerReport,
  options: { log?: RecordingLog; database?: Database } = {},
) {
  const { log = new RecordingLog() } = options
  return new WorkerStatusWriter({ database: options.database ?? database, workerId, kind: 'consumer', report, log })
}

async function rowOf(workerId: string): Promise<StatusRow | undefined> {
  const [row] = await scene.owner.query<StatusRow>({
    text: 'SELECT * FROM worker_status WHERE worker_id = $1',
    values: [workerId],
  })
  return row
}

it('is written at once, again and again, and a last time', async () => {
  let messagesProcessed = 0
  const status = writer('one', () => ({
    ...quiet,
    messagesProcessed: messagesProcessed++,
    partitions: [0, 2],
    http: 'http://127.0.0.1:1',
    pool: { size: 4, inUse: 1, waiting: 0, acquireMs: 0.5 },
    detail: { note: '"\\ é' },
  }))
  status.start(50)
  const first = await until('a row', () => rowOf('one'), Boolean)
  expect(first).toMatchObject({
    kind: 'consumer',
    state: 'reading',
    stopped_at: null,
    partitions: [0, 2],
    pool_in_use: 1,
  })
  expect(first?.detail).toEqual({ note: '"\\ é' })
  const later = await until(
    'a later row',
    () => rowOf('one'),
    (row) => (row?.messages_processed ?? 0) >= 3,
  )
  expect(later?.last_seen_at.getTime()).toBeGreaterThan(first?.last_seen_at.getTime() ?? 0)
  await Promise.all([status.stop(), status.stop()])
  const last = await rowOf('one')
  expect(last).toMatchObject({ state: 'stopped', stopped_at: expect.any(Date) })
  await status.stop()
  expect(await rowOf('one')).toEqual(last)
})

it('forgets those who were last seen more than a day ago, stopped or not', async () => {
  const hour = 3600
  const ages = { old: 24 * hour + 60, older: 500 * hour, young: 24 * hour - 60 }
  for (const [workerId, ageSeconds] of Object.entries(ages)) {
    await writer(workerId, () => quiet).stop()
    await scene.owner.query({
      text: `UPDATE worker_status SET last_seen_at = now() - make_interval(secs => $2) WHERE worker_id = $1`,
      values: [workerId, ageSeconds],
    })
  }
  // Its own row stays, however old: it is written anew.
  await writer('old', () => quiet).stop()
  const rows = await scene.owner.query<StatusRow>({ text: 'SELECT worker_id FROM worker_status' })
  expect(rows.map(({ worker_id }) => worker_id)).toEqual(expect.arrayContaining(['old', 'young']))
  expect(rows.map(({ worker_id }) => worker_id)).not.toContain('older')
})

it('a worker that comes back under its name starts anew', async () => {
  await writer('again', () => ({ ...quiet, messagesProcessed: 9 })).stop()
  const again = writer('again', () => quiet)
  again.start(60_000)
  const row = await until(
    'the new row',
    () => rowOf('again'),
    (found) => found?.stopped_at === null,
  )
  expect(row).toMatchObject({ state: 'reading', messages_processed: 0 })
  await again.stop()
})

it('a database that is away is told once, and when it is back the row is written again', async () => {
  await using proxy = await TcpProxy.start(`127.0.0.1:${scene.workerOptions.port}`)
  const proxied = await scene.worker({ maxConnections: 1, port: proxy.port })
  const log = new RecordingLog()
  let reports = 0
  const status = writer('away', () => ({ ...quiet, messagesProcessed: ++reports }), { log, database: proxied })
  status.start(20)
  await until('a row', () => rowOf('away'), Boolean)
  proxy.isOpen = false
  proxy.cut()
  const before = reports
  await until(
    'several tries',
    () => reports,
    (count) => count > before + 5,
  )
  expect(log.lines).toEqual([expect.stringMatching(/^warn: worker_status is not written for now: .*does not answer/)])
  proxy.isOpen = true
  const seen = reports
  await until(
    'a row again',
    () => rowOf('away'),
    (row) => (row?.messages_processed ?? 0) > seen,
  )
  proxy.isOpen = false
  proxy.cut()
  await until(
    'told again',
    () => log.lines,
    (lines) => lines.length === 2,
  )
  await status.stop()
})

it('a database that does not answer gets no queue of writes, and holds up no stop', async () => {
  await using proxy = await TcpProxy.start(`127.0.0.1:${scene.workerOptions.port}`)
  const proxied = await scene.worker({ maxConnections: 1, port: proxy.port })
  let reports = 0
  const status = writer('slow', () => ({ ...quiet, messagesProcessed: ++reports }), { database: proxied })
  status.start(5)
  await until('a row', () => rowOf('slow'), Boolean)
  proxy.isSilent = true
  await until(
    'a write that hangs',
    async () => {
      const before = reports
      await database.query({ text: 'SELECT pg_sleep(0.1)' })
      return reports - before
    },
    (count) => count === 0,
  )
  const stoppedAt = performance.now()
  await status.stop(200)
  expect(performance.now() - stoppedAt).toBeLessThan(2000)
  proxy.cut()
})

it('a connection that died without a word is given up, and the row written by another (chaos, seed 62)', async () => {
  const way = await FaultyWay.start(scene.workerOptions.port)
  const proxied = await scene.worker({ maxConnections: 1, port: way.port, queryTimeoutMs: 500 })
  let reports = 0
  const status = writer('half-open', () => ({ ...quiet, messagesProcessed: ++reports }), { database: proxied })
  status.start(20)
  await until('a row', () => rowOf('half-open'), Boolean)
  const endSilence = way.halfOpen()
  const before = (await rowOf('half-open'))?.messages_processed ?? 0
  await until(
    'a later row',
    () => rowOf('half-open'),
    (row) => (row?.messages_processed ?? 0) > before + 2,
  )
  endSilence()
  await status.stop()
  await way.close()
})
