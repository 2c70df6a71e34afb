import { expect, it } from 'vitest'
import { loadConfig } from '../../../src/config/load.ts'
import { endpointsOf, kafkaEnvironment, pipelineEnvironment, reportRows } from '../../../src/stack/stack-parts.ts'

const config = loadConfig({
  env: {
    KAFKA_BOOTSTRAP_SERVERS: 'kafka.example:9092',
    DATABASE_URL: 'postgresql://bi_user:p%40ss@db.example:6432/prices?sslmode=disable',
  },
})
const none = { workers: [] }

it('endpoints name the servers of the environment where the stack runs none', () => {
  expect(endpointsOf(none, config)).toMatchObject({
    kafka: 'kafka.example:9092',
    postgres: 'postgresql://bi_user:p%40ss@db.example:6432/prices?sslmode=disable',
    workers: [],
    pids: { workers: [] },
  })
})

it('children find servers of the environment by themselves', () => {
  expect({ ...kafkaEnvironment(none), ...pipelineEnvironment(none) }).toEqual({})
})

it('a feed that failed is reported with its reason', () => {
  const rows = reportRows({ workers: [], feedFailure: 'p.csv is empty' }, config, 'replay:p.csv')
  expect(rows.map(({ what, note }) => [what, note])).toEqual([
    ['Kafka', 'not ours: named by the environment'],
    ['PostgreSQL', 'not ours: named by the environment'],
    ['no feed', 'p.csv is empty'],
  ])
})
