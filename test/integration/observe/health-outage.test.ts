// `health` while servers are frozen, dead or swallow packets: the right line, the right code, and never a long wait.
import { createServer, type Server } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { health, observe, sendNow, told } from '../scenes/observing.ts'
import { makePipeline, type Pipeline, type Servers } from '../scenes/pipeline.ts'
import { startWorker, type TestWorker, untilCounted } from '../scenes/worker.ts'
import { OwnServers } from '../servers/own-servers.ts'

/** A look may take so long; `health` starts and ends in the rest of its five seconds. */
const lookMs = 4000

const own = new OwnServers()
let servers: Servers
let pipeline: Pipeline
let worker: TestWorker

beforeAll(async () => {
  servers = await own.start()
  pipeline = await makePipeline({ servers })
  worker = await startWorker(pipeline)
  await sendNow(pipeline, 100)
  await untilCounted(pipeline, 100)
})

afterAll(async () => {
  await worker.stop()
  await pipeline[Symbol.asyncDispose]()
  await own.stop()
})

/** What a look says while something is wrong, in this process and as a command. */
async function during(trouble: { begin: () => unknown; end: () => unknown }) {
  await trouble.begin()
  try {
    const observer = observe(pipeline.config)
    const [{ snapshot, assessment }, command] = await Promise.all([observer.observe(0), health(pipeline.env)])
    expect(snapshot.tookMs).toBeLessThan(lookMs)
    return { snapshot, assessment, ...command }
  } finally {
    await trouble.end()
  }
}

function frozen(pid: number) {
  return { begin: () => process.kill(pid, 'SIGSTOP'), end: () => process.kill(pid, 'SIGCONT') }
}

it('with PostgreSQL frozen: it is what is broken, and Kafka is seen', async () => {
  const { code, stdout, snapshot, assessment } = await during(frozen(own.postgres.pid))
  expect(stdout).toMatch(/^PostgreSQL connectivity: FAILED - PostgreSQL at \S+ d(oes|id) not answer/m)
  expect(stdout).toContain('Kafka connectivity: OK\n')
  expect(stdout).toContain('KPI table: FAILED - unknown, since PostgreSQL cannot be reached\n')
  expect(stdout).toMatch(/^SYSTEM FAILURE: PostgreSQL - /m)
  expect(code).toBe(2)
  expect(told(snapshot.kafka.log).partitions).toHaveLength(3)
  expect(assessment.firstBrokenStage).toBe('postgres')
  const causes = assessment.findings.filter(({ inhibitedBy, severity }) => inhibitedBy === null && severity !== 'info')
  expect(causes.map(({ rule }) => rule)).toEqual(['PostgresUnreachable'])
})

it('with the broker frozen: it is what is broken, and PostgreSQL is seen', async () => {
  const { code, stdout, snapshot, assessment } = await during(frozen(own.kafka.pid))
  expect(stdout).toMatch(/^Kafka connectivity: FAILED - Kafka at \S+ did not answer within 3 s$/m)
  expect(stdout).toMatch(/^Kafka topic '.*': FAILED - unknown, since Kafka cannot be reached$/m)
  expect(stdout).toContain('PostgreSQL connectivity: OK\n')
  expect(stdout).toMatch(/^KPI table: OK - \d+ rows$/m)
  expect(stdout).toMatch(/^SYSTEM FAILURE: Kafka - /m)
  expect(code).toBe(2)
  expect(told(snapshot.postgres.positions).merged).toBe(100)
  const causes = assessment.findings.filter(({ inhibitedBy, severity }) => inhibitedBy === null && severity !== 'info')
  expect(causes.map(({ rule }) => rule)).toEqual(['KafkaUnreachable'])
})

it('with both frozen: no longer than with one', async () => {
  const [kafka, postgres] = [frozen(own.kafka.pid), frozen(own.postgres.pid)]
  const { code, assessment } = await during({
    begin: () => [kafka.begin(), postgres.begin()],
    end: () => [kafka.end(), postgres.end()],
  })
  expect(code).toBe(2)
  expect(assessment.firstBrokenStage).toBe('kafka')
})

it('with servers that take connections and say nothing', async () => {
  const silent = createServer((socket) => socket.on('error', () => undefined))
  const port = await listening(silent)
  const env = {
    ...pipeline.env,
    KAFKA_BOOTSTRAP_SERVERS: `127.0.0.1:${port},127.0.0.1:${port}`,
    DATABASE_URL: `postgresql://bi_user@127.0.0.1:${port}/bi_realtime`,
  }
  const { code, stdout } = await health({ ...env, POSTGRES_SSLMODE: 'prefer' })
  expect(stdout).toMatch(/^Kafka connectivity: FAILED - .*did not answer within 3 s$/m)
  expect(stdout).toMatch(/^PostgreSQL connectivity: FAILED - .*d(oes|id) not answer/m)
  expect(code).toBe(2)
  silent.close()
})

it('with hosts that are not there', async () => {
  // Of the addresses for documentation (RFC 5737): nobody answers, or the system says at once that there is no way.
  const { config } = pipeline
  const observer = observe({
    ...config,
    kafkaBootstrapServers: '192.0.2.1:9092,192.0.2.2:9092,192.0.2.3:9092',
    databaseUrl: 'postgresql://bi_user@192.0.2.4:5432/bi_realtime',
  })
  const { snapshot, assessment } = await observer.observe(0)
  expect(snapshot.tookMs).toBeLessThan(lookMs)
  expect(snapshot.kafka.cluster.state).toBe('unknown')
  expect(snapshot.postgres.server.state).toBe('unknown')
  expect(assessment.verdict).toBe('critical')
})

it('is told of at once by who asks while a look is under way, and brokers are asked once', async () => {
  const observer = observe(pipeline.config)
  const [one, other] = await Promise.all([observer.observe(), observer.observe()])
  expect(other).toBe(one)
  expect(await observer.observe()).toBe(one)
  expect(await observer.observe(0)).not.toBe(one)
})

it('with the broker dead: it is what is broken, until it is back', async () => {
  const { code, stdout } = await during({
    begin: async () => {
      own.kafka.kill()
      await own.kafka.exited
    },
    end: () => own.startKafka(),
  })
  expect(stdout).toMatch(/^Kafka connectivity: FAILED - Kafka at \S+ does not answer: connect ECONNREFUSED/m)
  expect(stdout).toMatch(/^SYSTEM FAILURE: Kafka - /m)
  expect(code).toBe(2)
  const after = await observe(pipeline.config).observe(0)
  expect(after.snapshot.kafka.cluster.state).toBe('ok')
})

function listening(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
}
