import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadConfig } from '../../../src/config/load.ts'
import { KpiError } from '../../../src/errors.ts'
import { type Endpoints, writeEndpoints } from '../../../src/stack/endpoints.ts'
import { type DatabaseAccess, findStackSettings } from '../../../src/stack/running-stack.ts'
import { takeUpLock, type UpLock } from '../../../src/stack/up-lock.ts'
import { temporaryFolder } from '../../temporary-folder.ts'

let folder: ReturnType<typeof temporaryFolder>
let lock: UpLock | undefined
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => {
  lock?.release()
  lock = undefined
  folder[Symbol.dispose]()
})

const place = '@127.0.0.1:15432/bi_realtime'
const embedded: Endpoints = {
  pid: process.pid,
  kafka: '127.0.0.1:19092',
  topic: 'my-prices',
  group: 'my-group',
  postgres: `postgresql://owner:secret${place}`,
  postgresPipeline: `postgresql://bi_user:secret${place}`,
  postgresReader: `postgresql://bi_reader:secret${place}`,
  workers: [],
  pids: { kafka: 2, postgres: 3, workers: [] },
}

/** What a command gets with these variables in its environment, where `up` runs as this process. */
function settings(env: Record<string, string>, access: DatabaseAccess = 'reader') {
  const found = find(env, folder.path, access)
  if (found instanceof KpiError) throw found
  return found
}

function find(env: Record<string, string>, dataDir: string, access: DatabaseAccess = 'reader') {
  return findStackSettings(loadConfig({ env, directory: folder.path }), { dataDir, access })
}

function runUp(endpoints: Endpoints = embedded): void {
  lock = takeUpLock(folder.path)
  writeEndpoints(folder.path, endpoints)
}

describe('where up runs', () => {
  it.each<[DatabaseAccess, string]>([
    ['reader', 'bi_reader'],
    ['pipeline', 'bi_user'],
    ['owner', 'owner'],
  ])('a command that needs the %s works as %s', (access, role) => {
    runUp()
    expect(settings({}, access)).toEqual({
      servers: {
        KAFKA_BOOTSTRAP_SERVERS: '127.0.0.1:19092',
        KAFKA_SECURITY_PROTOCOL: 'PLAINTEXT',
        DATABASE_URL: `postgresql://${role}:secret${place}`,
        POSTGRES_SSLMODE: 'disable',
        // For the SQL rules of an evaluator.
        ...(access === 'pipeline' ? { BI_READER_PASSWORD: 'secret' } : {}),
      },
      names: { KAFKA_TOPIC: 'my-prices', KAFKA_GROUP: 'my-group' },
      file: `${folder.path}/endpoints.json`,
    })
  })

  it('the security settings of servers that are not its own stay as the settings have them', () => {
    runUp({ ...embedded, pids: { workers: [] } })
    const servers = { KAFKA_BOOTSTRAP_SERVERS: '127.0.0.1:19092', DATABASE_URL: embedded.postgresReader }
    expect(settings({})?.servers).toEqual(servers)
  })

  it('a server that is named and that it uses is completed by the other', () => {
    runUp()
    const database = { DATABASE_URL: embedded.postgresReader, POSTGRES_SSLMODE: 'disable' }
    expect(settings({ KAFKA_BOOTSTRAP_SERVERS: '127.0.0.1:19092' })?.servers).toEqual(database)
    const kafka = { KAFKA_BOOTSTRAP_SERVERS: '127.0.0.1:19092', KAFKA_SECURITY_PROTOCOL: 'PLAINTEXT' }
    expect(settings({ DATABASE_URL: `postgresql://me:other${place}` })?.servers).toEqual(kafka)
    expect(settings({ POSTGRES_HOST: '127.0.0.1', POSTGRES_PORT: '15432' })?.servers).toEqual(kafka)
  })

  it.each<[string, Record<string, string>]>([
    ['both servers', { KAFKA_BOOTSTRAP_SERVERS: 'a:9092', DATABASE_URL: 'postgresql://u@b:5432/c' }],
    ['another broker', { KAFKA_BOOTSTRAP_SERVERS: 'a:9092' }],
    ['another database', { DATABASE_URL: 'postgresql://u@127.0.0.1:15432/other' }],
  ])('settings that name %s are left as they are', (_, env) => {
    runUp()
    expect(settings(env)).toBeUndefined()
  })
})

describe('where no up runs', () => {
  it('and none was killed, the line says how to start one', () => {
    const said = `no servers are named, and nothing runs in ${folder.path}: start the pipeline with 'npm start -- --data-dir ${folder.path}', or name`
    expect(() => settings({})).toThrow(said)
    expect(find({}, '.market-kpi')).toMatchObject({ message: expect.stringContaining(`'npm start', or`) })
  })

  it('since it was killed, the line says so', () => {
    writeEndpoints(folder.path, { ...embedded, pid: 2 ** 22 + 1 })
    const said = `the pipeline in ${folder.path} does not run: its 'market-kpi up' (pid 4194305) was killed; start it again`
    expect(() => settings({})).toThrow(said)
  })

  it('yet, since it is starting, the line says what to wait for, whatever an earlier one left behind', () => {
    lock = takeUpLock(folder.path)
    const said = `the pipeline in ${folder.path} is not ready: wait until 'up' prints its line 'ready'`
    expect(() => settings({})).toThrow(said)
    writeEndpoints(folder.path, { ...embedded, pid: 2 ** 22 + 1 })
    expect(() => settings({})).toThrow(said)
  })

  it('one server that is named is left to the command', () => {
    expect(settings({ KAFKA_BOOTSTRAP_SERVERS: 'a:9092' })).toBeUndefined()
  })

  it('a folder that is a file, or not there, is one where nothing runs', () => {
    for (const dataDir of [import.meta.filename, join(folder.path, 'nowhere')]) {
      expect(find({}, dataDir)).toMatchObject({ message: expect.stringContaining('nothing runs in') })
    }
  })
})

it('a file that cannot be read is named, with what the system said', () => {
  lock = takeUpLock(folder.path)
  mkdirSync(join(folder.path, 'endpoints.json'))
  expect(() => settings({})).toThrow(`the data directory ${folder.path} cannot be read: EISDIR`)
})
