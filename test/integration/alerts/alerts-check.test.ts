// `alerts check` as a command, on a pipeline that works and on broken ones.

import { expect, it } from 'vitest'
import { alertsCheck } from '../scenes/alerting.ts'
import { deleteTopic } from '../scenes/kafka-topic.ts'
import { sendNow } from '../scenes/observing.ts'
import { makePipeline } from '../scenes/pipeline.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'

it('lists what is well in a pipeline that works, and ends with 0', async () => {
  await using pipeline = await makePipeline()
  const worker = await startWorker(pipeline)
  await sendNow(pipeline, 100)
  await untilCounted(pipeline, 100)
  // This worker writes no worker_status, so nothing is known of its connections and its throughput.
  const { code, stdout, stderr } = await alertsCheck(pipeline.env)
  const lines = stdout.split('\n').filter((line) => line.startsWith('🟢 [INFO] '))
  const checked = [
    /^🟢 \[INFO\] Kafka: broker is reachable$/,
    /^🟢 \[INFO\] Kafka topic: '.*' has 3 partitions, each with a leader$/,
    /^🟢 \[INFO\] Kafka disk: [\d.]+ % used$/,
    /^🟢 \[INFO\] PostgreSQL: database is reachable$/,
    /^🟢 \[INFO\] Database schema: fits this version, \d+ KPI rows?$/,
    /^🟢 \[INFO\] Data freshness: newest price \d+ s old$/,
    /^🟢 \[INFO\] Consumer lag: 0 messages$/,
    /^🟢 \[INFO\] Error rate: 0 % of the messages rejected$/,
    /^🟢 \[INFO\] Feed: newest message \d+ s old$/,
    /^🟢 \[INFO\] Workers: 1 member in the consumer group$/,
    /^🟢 \[INFO\] Clocks: the servers agree with this machine$/,
  ]
  expect(lines).toEqual(checked.map((line) => expect.stringMatching(line)))
  expect(stdout).toBe(`${lines.join('\n')}\nALERTS: 0 total\n`)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const json = await alertsCheck(pipeline.env, '--json')
  expect(json.code).toBe(0)
  expect(JSON.parse(json.stdout)).toContainEqual({
    check: 'Kafka',
    severity: 'info',
    state: 'ok',
    rule: null,
    summary: 'broker is reachable',
  })
  expect(JSON.parse(json.stdout)).toHaveLength(checked.length)
  expect(await alertsCheck(pipeline.env, '--quiet')).toEqual({ code: 0, stdout: 'ALERTS: 0 total\n', stderr: '' })
  expect(await alertsCheck(pipeline.env, '--quiet', '--json')).toEqual({ code: 0, stdout: '[]\n', stderr: '' })
  await worker.stop()
})

it('without a consumer: that one is critical, and what follows from it does not count', async () => {
  await using pipeline = await makePipeline()
  const worker = await startWorker(pipeline)
  await sendNow(pipeline, 100)
  await untilCounted(pipeline, 100)
  await worker.stop()
  await sendNow(pipeline, 1500)
  const { code, stdout } = await alertsCheck(pipeline.env)
  expect(stdout).toMatch(
    /^🔴 \[CRITICAL\] Workers: the group '.*' has no members \(NoConsumer\)\n(🟢 .*\n)+ALERTS: 1 total\n$/,
  )
  // What is a symptom is not called well.
  expect(stdout).not.toContain('[INFO] Consumer lag')
  expect(code).toBe(2)
  const all = await alertsCheck(pipeline.env, '--all')
  expect(all.stdout).toMatch(/^🟡 \[WARNING\] Consumer lag: .* \(ConsumerLagHigh\): because of NoConsumer$/m)
  expect(all.stdout).toMatch(/^ALERTS: 1 total$/m)
  const json = await alertsCheck(pipeline.env, '--quiet', '--json')
  expect(JSON.parse(json.stdout)).toMatchObject([
    {
      check: 'Workers',
      rule: 'NoConsumer',
      severity: 'critical',
      stage: 'consumer',
      state: 'firing',
      runbookUrl: null,
      explainCommand: 'market-kpi alerts explain NoConsumer',
    },
  ])
})

it('without its topic: the topic is what is missing', async () => {
  await using pipeline = await makePipeline()
  await deleteTopic(pipeline.cluster, pipeline.config.kafkaTopic)
  const { code, stdout } = await alertsCheck(pipeline.env, '--quiet')
  expect(stdout).toMatch(/^🔴 \[CRITICAL\] Kafka topic: .* \(TopicMissing\)\nALERTS: 1 total\n$/)
  expect(code).toBe(2)
})

it('with nothing to reach: both servers are told of, and nothing else', async () => {
  const env = {
    KAFKA_BOOTSTRAP_SERVERS: '127.0.0.1:1',
    DATABASE_URL: 'postgresql://bi_user:secret-word@127.0.0.1:1/bi_realtime',
    POSTGRES_SSLMODE: 'disable',
  }
  const { code, stdout, stderr } = await alertsCheck(env)
  expect(stdout).toMatch(
    /^🔴 \[CRITICAL\] Kafka: 127\.0\.0\.1:1 does not answer: .* \(KafkaUnreachable\)\n🔴 \[CRITICAL\] PostgreSQL: 127\.0\.0\.1:1\/bi_realtime does not answer: .* \(PostgresUnreachable\)\nALERTS: 2 total\n$/,
  )
  expect(code).toBe(2)
  expect(stdout + stderr).not.toContain('secret-word')
})

it('ends with 3 when it is called wrongly, or does not know where to look', async () => {
  expect((await alertsCheck({}, '--nonsense')).code).toBe(3)
  const nowhere = { DATABASE_URL: '', POSTGRES_HOST: '', KAFKA_BOOTSTRAP_SERVERS: '' }
  const { code, stderr } = await alertsCheck(nowhere, '--data-dir', 'no-such-folder')
  expect(code).toBe(3)
  expect(stderr).toMatch(/^no servers are named, and nothing runs in [^\n]*no-such-folder: [^\n]*'npm start[^\n]*\n$/)
})
