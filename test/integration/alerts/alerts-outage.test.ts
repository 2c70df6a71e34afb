// The evaluator while PostgreSQL itself is what is down: it tells, once, and tells the end.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { AlertReceiver, alerts, watchAlerts } from '../scenes/alerting.ts'
import { sendNow } from '../scenes/observing.ts'
import { makePipeline, type Pipeline } from '../scenes/pipeline.ts'
import type { Run } from '../scenes/processes.ts'
import { until } from '../scenes/until.ts'
import { startWorker, type TestWorker, untilCounted } from '../scenes/worker.ts'
import { OwnServers } from '../servers/own-servers.ts'

const own = new OwnServers()
let pipeline: Pipeline
let worker: TestWorker
let receiver: AlertReceiver
let watching: Run

beforeAll(async () => {
  pipeline = await makePipeline({ servers: await own.start() })
  worker = await startWorker(pipeline)
  await sendNow(pipeline, 100)
  await untilCounted(pipeline, 100)
  receiver = await AlertReceiver.start()
  watching = watchAlerts(pipeline.env, receiver)
  // Only who has read and written goes on without the database.
  await until(
    'leading',
    () => pipeline.owner.query({ text: 'SELECT rule FROM alerts' }),
    (rows) => rows.length > 0,
  )
})

afterAll(async () => {
  watching.child.kill('SIGKILL')
  await watching.exited
  await receiver.stop()
  await worker.stop()
  await pipeline[Symbol.asyncDispose]()
  await own.stop()
})

async function history() {
  const { stdout } = await alerts(pipeline.env, 'history', '--json')
  return JSON.parse(stdout) as { rule: string; state: string }[]
}

it('a database that is killed is told of while it is away, its end when it is back, and both are written down then', async () => {
  own.postgres.kill()
  await own.postgres.exited
  await receiver.untilTold('PostgresUnreachable', ['firing'])
  await own.startPostgres()
  await receiver.untilTold('PostgresUnreachable', ['firing', 'resolved'])
  expect(receiver.rules).toEqual(['PostgresUnreachable'])
  await until('written', history, ([newest]) => newest?.rule === 'PostgresUnreachable' && newest.state === 'resolved')
  expect(watching.stderr()).toContain('the leader, and sends notifications while the database is unavailable')
})

it('a database that is frozen is told of too, and nobody else gets the lead by it', async () => {
  const before = receiver.told('PostgresUnreachable').length
  process.kill(own.postgres.pid, 'SIGSTOP')
  try {
    await until(
      'told of',
      () => receiver.told('PostgresUnreachable'),
      (told) => told.length === before + 1,
    )
  } finally {
    process.kill(own.postgres.pid, 'SIGCONT')
  }
  await receiver.untilTold('PostgresUnreachable', ['firing', 'resolved', 'firing', 'resolved'])
  expect(receiver.rules).toEqual(['PostgresUnreachable'])
})
