// The collectors against the real servers: what they see of a pipeline that works.
import { expect, it } from 'vitest'
import { WorkerStatusWriter } from '../../../src/store/positions/worker-status.ts'
import { schemaParts } from '../../../src/store/schema/schema-parts.ts'
import { lookAt, observe, sendNow, told } from '../scenes/observing.ts'
import { makePipeline, silentLog } from '../scenes/pipeline.ts'
import { until } from '../scenes/until.ts'
import { deleteRecords } from '../scenes/verification.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'

it('sees brokers, topic, log, group and disk', async () => {
  await using pipeline = await makePipeline()
  const worker = await startWorker(pipeline)
  await sendNow(pipeline, 100)
  await untilCounted(pipeline, 100)
  const { kafka, takenAtMs } = await lookAt(pipeline)
  const cluster = told(kafka.cluster)
  expect(cluster).toMatchObject({ clusterId: pipeline.metadata.clusterId, controllerId: 1 })
  expect(cluster.brokers).toHaveLength(1)
  expect(cluster.latencyMs).toBeGreaterThan(0)
  expect(told(kafka.topic)).toMatchObject({ isThere: true, topicId: pipeline.metadata.topicId })
  expect(told(kafka.topic).partitions).toMatchObject(
    [0, 1, 2].map((partition) => ({ partition, leaderId: 1, replicas: 1, inSyncReplicas: 1 })),
  )
  const log = told(kafka.log)
  expect(log.isAppendTime).toBe(true)
  expect(log.partitions.map(({ startOffset }) => startOffset)).toEqual([0, 0, 0])
  expect(log.partitions.reduce((sum, { endOffset }) => sum + endOffset, 0)).toBe(100)
  for (const { newestRecordAtMs, nextRecordAtMs } of log.partitions) {
    expect(takenAtMs - Number(newestRecordAtMs)).toBeLessThan(60_000)
    expect(nextRecordAtMs).toBeNull()
  }
  expect(told(kafka.group)).toMatchObject({ groupState: 'Stable', isRebalancing: false })
  expect(
    told(kafka.group)
      .members.flatMap(({ partitions }) => partitions)
      .sort(),
  ).toEqual([0, 1, 2])
  const disk = told(kafka.disk)
  expect(disk.topicBytes).toBeGreaterThan(1000)
  expect(disk.volumes).toHaveLength(1)
  expect(Number(disk.volumes[0]?.usableBytes)).toBeLessThan(Number(disk.volumes[0]?.totalBytes))
  await worker.stop()
})

it('sees the members of the group, and a group without any', async () => {
  await using pipeline = await makePipeline()
  expect(told((await lookAt(pipeline)).kafka.group).members).toEqual([])
  const worker = await startWorker(pipeline)
  const group = await until(
    'a group that shares its partitions out',
    async () => told((await lookAt(pipeline)).kafka.group),
    ({ members }) => members.some(({ partitions }) => partitions.length === 3),
  )
  expect(group).toMatchObject({ groupState: 'Stable', members: [{ clientId: 'test-worker', partitions: [0, 1, 2] }] })
  await worker.stop()
})

it('sees server, schema, positions, rows and rejected messages', async () => {
  await using pipeline = await makePipeline()
  const worker = await startWorker(pipeline)
  await sendNow(pipeline, 100, 7)
  await untilCounted(pipeline, 100)
  const { postgres, takenAtMs } = await lookAt(pipeline)
  const server = told(postgres.server)
  expect(Math.abs(server.clockAheadMs)).toBeLessThan(5000)
  expect(server.connectionsUsed).toBeGreaterThan(0)
  expect(server).toMatchObject({ isStandby: false, connectionsMax: expect.any(Number) })
  const { topic, topicId } = pipeline.metadata
  expect(told(postgres.schema)).toMatchObject({
    missingMigrations: [],
    newerMigrations: [],
    missingParts: [],
    definition: { topic, topicId, group: pipeline.config.kafkaGroup, windowSeconds: 300 },
  })
  const positions = told(postgres.positions)
  expect(positions).toMatchObject({ merged: 93, rejected: 7 })
  expect(positions.partitions.reduce((sum, { nextOffset }) => sum + nextOffset, 0)).toBe(100)
  const kpi = told(postgres.kpi)
  expect(kpi.isEstimate).toBe(false)
  expect(kpi.rows).toBeGreaterThanOrEqual(10)
  expect(kpi.tableBytes).toBeGreaterThan(0)
  expect(takenAtMs - Number(kpi.newestEventAtMs)).toBeLessThan(60_000)
  const { symbols } = told(postgres.symbols)
  expect(symbols.map(({ symbol }) => symbol)).toEqual(Array.from({ length: 10 }, (_, index) => `SYM${index}`))
  expect(symbols[9]?.close).toMatch(/^\d+/)
  expect(told(postgres.deadLetters)).toEqual({ state: 'ok', recentByReason: { not_json: 7 }, isCapped: false })
  await worker.stop()
})

it('sees rejected messages for as long as a worker may still count them among its last ones', async () => {
  await using pipeline = await makePipeline()
  const worker = await startWorker(pipeline)
  await sendNow(pipeline, 10, 7)
  await untilCounted(pipeline, 10)
  const agedTo = async (seconds: number) => {
    await pipeline.owner.query({ text: `UPDATE dead_letters SET received_at = now() - interval '${seconds} s'` })
    return told((await lookAt(pipeline)).postgres.deadLetters).recentByReason
  }
  expect(await agedTo(310)).toEqual({ not_json: 7 })
  expect(await agedTo(320)).toEqual({})
  await worker.stop()
})

it('sees what workers and feeds say of themselves', async () => {
  await using pipeline = await makePipeline()
  const recent = { seconds: 42, processed: 1000, rejected: 3 }
  const report = {
    state: 'reading',
    messagesProcessed: 1000,
    batchesWritten: 10,
    errors: 3,
    throughputPerSecond: 12.5,
    partitions: [0, 2],
    pool: { size: 2, inUse: 2, waiting: 1, acquireMs: 4 },
    detail: { recent, strandedPartitions: [2], divergedPartitions: [{ partition: 2, offset: 9, agreesTo: 5 }] },
  }
  const feed = { ...report, state: 'sending', detail: { source: 'made up' } }
  const writers = (['consumer', 'feed'] as const).map(
    (kind) =>
      new WorkerStatusWriter({
        database: pipeline.owner,
        workerId: `a-${kind}`,
        kind,
        report: () => (kind === 'feed' ? feed : report),
        log: silentLog,
      }),
  )
  for (const writer of writers) writer.start()
  const workers = await until(
    'two rows',
    async () => told((await lookAt(pipeline)).postgres.workers).workers,
    (rows) => rows.length === 2,
  )
  expect(workers.find(({ kind }) => kind === 'consumer')).toMatchObject({
    workerId: 'a-consumer',
    workerState: 'reading',
    stoppedAtMs: null,
    throughputPerSecond: 12.5,
    partitions: [0, 2],
    pool: { size: 2, inUse: 2, waiting: 1, acquireMs: 4 },
    strandedPartitions: [2],
    divergedPartitions: [{ partition: 2, offset: 9, agreesTo: 5 }],
    recent,
    source: null,
  })
  expect(workers.find(({ kind }) => kind === 'feed')).toMatchObject({ source: 'made up', recent: null })
  for (const worker of workers) expect(worker.seenAgoSeconds).toBeLessThan(60)
  await Promise.all(writers.map((writer) => writer.stop()))
})

it('counts no lag that retention made, and tells since when the oldest message waits', async () => {
  await using pipeline = await makePipeline({ partitions: 1 })
  const worker = await startWorker(pipeline)
  await sendNow(pipeline, 10)
  await untilCounted(pipeline, 10)
  await worker.stop()
  await sendNow(pipeline, 10)
  await deleteRecords(pipeline, 0, 15)
  const { kafka, takenAtMs } = await lookAt(pipeline)
  const [partition] = told(kafka.log).partitions
  expect(partition).toMatchObject({ startOffset: 15, endOffset: 20 })
  expect(takenAtMs - Number(partition?.nextRecordAtMs)).toBeLessThan(60_000)
})

it('knows each part that the migrations make', async () => {
  await using pipeline = await makePipeline()
  const relations = await pipeline.owner.query<{ relation: string; columns: string[] }>({
    text: `SELECT c.relname AS relation, array_agg(a.attname::text ORDER BY a.attnum) AS columns
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v') AND c.relname <> 'kpi_migrations'
      GROUP BY 1 ORDER BY 1`,
  })
  const sorted = (columns: readonly string[]) => [...columns].sort()
  expect(Object.fromEntries(relations.map(({ relation, columns }) => [relation, sorted(columns)]))).toEqual(
    Object.fromEntries(Object.entries(schemaParts.relations).map(([name, columns]) => [name, sorted(columns)])),
  )
  const functions = await pipeline.owner.query<{ name: string }>({
    text: `SELECT proname::text AS name FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1`,
  })
  expect(functions.map(({ name }) => name)).toEqual(schemaParts.functions)
})

it('takes one connection for all who ask at once, and keeps none (postgres_exporter#921)', async () => {
  await using pipeline = await makePipeline()
  const observer = observe(pipeline.config)
  const ours = async () => {
    const [row] = await pipeline.owner.query<{ n: number }>({
      text: `SELECT count(*)::integer AS n FROM pg_stat_activity
        WHERE datname = current_database() AND usename = 'bi_user'`,
    })
    return row?.n ?? 0
  }
  const before = await ours()
  let most = 0
  let isOver = false
  const observations = Promise.all(Array.from({ length: 50 }, () => observer.observe(0))).finally(() => {
    isOver = true
  })
  while (!isOver) most = Math.max(most, await ours())
  await observations
  expect(most - before).toBeLessThanOrEqual(1)
  await until('no connection left', ours, (count) => count === before)
})
