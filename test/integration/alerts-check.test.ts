// `alerts check` as a command, on a pipeline that works and on broken ones.

import { expect, it } from 'vitest'
import { alertsCheck } from './alerting.ts'
import { deleteTopic } from './kafka-topic.ts'
import { sendNow } from './observing.ts'
import { makePipeline } from './pipeline.ts'
import { startWorker, untilCounted } from './worker.ts'

it('finds nothing in a pipeline that works, and ends with 0', async () => {
  await using pipeline = await makePipeline()
  const worker = await startWorker(pipeline)
  await sendNow(pipeline, 100)
  await untilCounted(pipeline, 100)
  expect(await alertsCheck(pipeline.env)).toEqual({ code: 0, stdout: 'ALERTS: 0 total\n', stderr: '' })
  expect(await alertsCheck(pipeline.env, '--json')).toEqual({ code: 0, stdout: '[]\n', stderr: '' })
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
  expect(stdout).toMatch(/^🔴 \[CRITICAL\] Consumer: NoConsumer: the group '.*' has no members\nALERTS: 1 total\n$/)
  expect(code).toBe(2)
  const all = await alertsCheck(pipeline.env, '--all')
  expect(all.stdout).toMatch(/^🟡 \[WARNING\] Consumer: ConsumerLagHigh: .*: because of NoConsumer$/m)
  expect(all.stdout).toMatch(/^ALERTS: 1 total$/m)
  const json = await alertsCheck(pipeline.env, '--json')
  expect(JSON.parse(json.stdout)).toMatchObject([
    {
      rule: 'NoConsumer',
      severity: 'critical',
      stage: 'consumer',
      state: 'firing',
      runbookUrl: expect.stringMatching(/NoConsumer\.md$/),
    },
  ])
})

it('without its topic: the topic is what is missing', async () => {
  await using pipeline = await makePipeline()
  await deleteTopic(pipeline.cluster, pipeline.config.kafkaTopic)
  const { code, stdout } = await alertsCheck(pipeline.env)
  expect(stdout).toMatch(/^🔴 \[CRITICAL\] Kafka: TopicMissing: .*\nALERTS: 1 total\n$/)
  expect(code).toBe(2)
})

it('with nothing to reach: both servers are told of, and nothing else', async () => {
  const env = {
    KAFKA_BOOTSTRAP_SERVERS: '127.0.0.1:1',
    DATABASE_URL: 'postgresql://bi_user:secret-word@127.0.0.1:1/bi_realtime',
    POSTGRES_SSLMODE: 'disable',
  }
  const { code, stdout, stderr } = await alertsCheck(env)
  expect(stdout).toMatch(/^🔴 \[CRITICAL\] Kafka: .*\n🔴 \[CRITICAL\] PostgreSQL: .*\nALERTS: 2 total\n$/)
  expect(code).toBe(2)
  expect(stdout + stderr).not.toContain('secret-word')
})

it('ends with 3 when it is called wrongly, or does not know where to look', async () => {
  expect((await alertsCheck({}, '--nonsense')).code).toBe(3)
  const { code, stderr } = await alertsCheck({ DATABASE_URL: '', POSTGRES_HOST: '' })
  expect(code).toBe(3)
  expect(stderr).toMatch(/^[^\n]* is(?:| not) set[^\n]*\n$/)
})
