// `alerts watch` with a receiver on this machine: what it is told, once, and what it is not.
import { afterEach, beforeEach, expect, it } from 'vitest'
import { AlertReceiver, alerts, watchAlerts } from '../scenes/alerting.ts'
import { sendNow } from '../scenes/observing.ts'
import { makePipeline, type Pipeline } from '../scenes/pipeline.ts'
import type { Run } from '../scenes/processes.ts'
import { until } from '../scenes/until.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'

let pipeline: Pipeline
let receiver: AlertReceiver
const watching: Run[] = []

beforeEach(async () => {
  pipeline = await makePipeline()
  receiver = await AlertReceiver.start()
})

afterEach(async () => {
  for (const { child } of watching) child.kill('SIGKILL')
  await Promise.all(watching.splice(0).map(({ exited }) => exited))
  await receiver.stop()
  await pipeline[Symbol.asyncDispose]()
})

async function workingPipeline() {
  const worker = await startWorker(pipeline)
  await sendNow(pipeline, 100)
  await untilCounted(pipeline, 100)
  return worker
}

/** One more, that has evaluated for the first time. */
async function watch(...args: string[]): Promise<Run> {
  const run = watchAlerts(pipeline.env, receiver, ...args)
  watching.push(run)
  await until('watching', run.stderr, (said) => /this evaluator is (the leader|on standby)/.test(said))
  return run
}

async function stop(run: Run): Promise<number | null> {
  run.child.kill('SIGTERM')
  return (await run.exited).code
}

async function notificationsInDatabase() {
  return pipeline.owner.query<{ reason: string; outcome: string; rules: string }>({
    text: `SELECT n.reason, n.outcome, string_agg(DISTINCT a.rule, ',') AS rules FROM alert_notifications n
      JOIN alerts a ON a.id = ANY (n.alert_ids) WHERE n.receiver <> 'console' GROUP BY n.id ORDER BY n.sent_at`,
  })
}

it('tells once that a consumer is gone and once that it is back, and nothing of what follows from it', async () => {
  const worker = await workingPipeline()
  const run = await watch()
  await worker.stop()
  await sendNow(pipeline, 1500)
  await receiver.untilTold('NoConsumer', ['firing'])
  const list = await alerts(pipeline.env, 'list')
  expect(list.stdout).toMatch(/^critical +firing .* NoConsumer /m)
  const again = await startWorker(pipeline)
  await receiver.untilTold('NoConsumer', ['firing', 'resolved'])
  expect(receiver.rules).toEqual(['NoConsumer'])
  await until('saved', notificationsInDatabase, (rows) => rows.every(({ outcome }) => outcome === 'delivered'))
  expect((await notificationsInDatabase()).map(({ reason }) => reason)).toEqual(['firing', 'resolved'])
  const history = await alerts(pipeline.env, 'history', '--json')
  expect(JSON.parse(history.stdout)).toMatchObject([{ rule: 'NoConsumer', state: 'resolved', severity: 'critical' }])
  expect(await stop(run)).toBe(0)
  await again.stop()
})

it('is killed while an alert fires: another one takes over, tells nothing twice, and tells the end', async () => {
  const first = await watch()
  const second = await watch()
  expect(second.stderr()).toContain('on standby')
  await receiver.untilTold('NoConsumer', ['firing'])
  await until('saved', notificationsInDatabase, (rows) => rows.some(({ outcome }) => outcome === 'delivered'))
  first.child.kill('SIGKILL')
  await until('taken over', second.stderr, (said) => said.includes('this evaluator is the leader'))
  const worker = await startWorker(pipeline)
  await receiver.untilTold('NoConsumer', ['firing', 'resolved'])
  await worker.stop()
})

it('is stopped and started while an alert fires: it goes on where it was', async () => {
  expect(await stop(await watchUntilFiring())).toBe(0)
  const next = await watch()
  const worker = await startWorker(pipeline)
  await receiver.untilTold('NoConsumer', ['firing', 'resolved'])
  expect(await stop(next)).toBe(0)
  await worker.stop()
})

async function watchUntilFiring(): Promise<Run> {
  const run = await watch()
  await receiver.untilTold('NoConsumer', ['firing'])
  return run
}

it('tells nobody of what is silenced, until the silence ends', async () => {
  const silence = await alerts(pipeline.env, 'silence', 'NoConsumer', '--for', '1h', '--comment', 'a test', '--json')
  const { id } = JSON.parse(silence.stdout)
  await watch()
  await until(
    'firing',
    async () => (await alerts(pipeline.env, 'list', '--json')).stdout,
    (text) => JSON.parse(text).alerts.some((alert: { rule: string; state: string }) => alert.state === 'firing'),
  )
  expect((await alerts(pipeline.env, 'list')).stdout).toMatch(/^\d+ +rule=NoConsumer .* a test$/m)
  expect(receiver.notifications).toEqual([])
  expect((await alerts(pipeline.env, 'unsilence', String(id))).code).toBe(0)
  await receiver.untilTold('NoConsumer', ['firing'])
  expect((await alerts(pipeline.env, 'unsilence', String(id))).code).toBe(2)
})

it('tries again while the receiver fails, with the same notification', async () => {
  receiver.status = 503
  const run = await watch()
  await until('failed', run.stderr, (said) => /alerts do not reach 'webhook/.test(said))
  receiver.status = 200
  await receiver.untilTold('NoConsumer', ['firing'])
  const [row] = await until('saved', attemptsInDatabase, (rows) => rows[0]?.outcome === 'delivered')
  expect(row?.attempts).toBeGreaterThan(1)
})

async function attemptsInDatabase() {
  return pipeline.owner.query<{ outcome: string; attempts: number }>({
    text: `SELECT outcome, attempts FROM alert_notifications WHERE receiver <> 'console' ORDER BY sent_at`,
  })
}
