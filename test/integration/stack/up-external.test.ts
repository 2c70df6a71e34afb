// `up` beside servers that are not its own: the shared ones of the tests.
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { temporaryFolder } from '../../temporary-folder.ts'
import { until } from '../scenes/until.ts'
import { query, totals, UpProcess } from '../scenes/up-process.ts'

let folder: ReturnType<typeof temporaryFolder>
let name: string
let up: UpProcess | undefined
beforeEach(() => {
  folder = temporaryFolder()
  name = `test-${randomBytes(6).toString('hex')}`
})
afterEach(async () => {
  await up?.[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
  await query(inject('ownerUrl'), `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`)
})

const kafka = () => ({ KAFKA_BOOTSTRAP_SERVERS: inject('bootstrap'), KAFKA_TOPIC: name, KAFKA_GROUP: name })
function databaseUrl(): string {
  const url = new URL(inject('ownerUrl'))
  url.pathname = `/${name}`
  return url.href
}

const servers = () => up?.leftovers().filter((line) => /kafka\.Kafka|bin\/postgres/.test(line)) ?? []

describe('with both named by the environment', () => {
  it('starts neither, prepares them, works, and leaves them alone when it ends', async () => {
    up = new UpProcess(folder.path, ['--workers', '2'], {
      ...kafka(),
      DATABASE_URL: databaseUrl(),
      POSTGRES_SSLMODE: 'disable',
    })
    await up.ready()
    expect(servers()).toEqual([])
    expect(up.endpoints).toEqual({
      pid: up.run.pid,
      kafka: inject('bootstrap'),
      topic: name,
      group: name,
      postgres: `${databaseUrl()}?sslmode=disable`,
      postgresPipeline: `${databaseUrl()}?sslmode=disable`,
      workers: [expect.any(String), expect.any(String)],
      feed: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      alerts: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      pids: { workers: [expect.any(Number), expect.any(Number)], alerts: expect.any(Number) },
    })
    expect(up.run.stdout()).toMatch(/^ {2}Kafka +127\.0\.0\.1:\d+ +not ours: named by the environment$/m)
    const { password } = new URL(databaseUrl())
    expect(up.run.stdout() + up.run.stderr()).not.toContain(password)
    await until(
      'rows',
      () => totals(databaseUrl()),
      ({ rows }) => rows > 20,
    )
    expect((await up.end('SIGINT')).code).toBe(0)
    expect(up.leftovers()).toEqual([])
    expect((await totals(databaseUrl())).rows).toBeGreaterThan(20)
  })
})

describe('with the broker alone named', () => {
  it('starts a database of its own beside it', async () => {
    up = new UpProcess(folder.path, [], kafka())
    await up.ready()
    expect(servers().every((line) => line.includes('bin/postgres'))).toBe(true)
    expect(up.endpoints).toMatchObject({ kafka: inject('bootstrap'), pids: { postgres: expect.any(Number) } })
    expect(up.endpoints.pids).not.toHaveProperty('kafka')
    const { postgres } = up.endpoints
    await until(
      'rows',
      () => totals(postgres),
      ({ rows }) => rows > 20,
    )
    expect((await up.end('SIGINT')).code).toBe(0)
    expect(up.leftovers()).toEqual([])
  })
})
