// What can be wrong outside the program: each is one line that says what to do, the right exit code and no stack trace.
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { smallDisk } from '../../small-disk.ts'
import { temporaryFolder } from '../../temporary-folder.ts'
import { makePipeline, type Pipeline } from '../scenes/pipeline.ts'
import { marketKpi, marketKpiCommand, runProgram } from '../scenes/processes.ts'
import { UpProcess } from '../scenes/up-process.ts'

let folder: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => folder[Symbol.dispose]())

const dataDir = () => join(folder.path, 'data')

/** What a command says and how it ends; it must say it in one line. */
async function refusal(
  args: readonly string[],
  env: Record<string, string>,
): Promise<{ code: number | null; line: string }> {
  const run = marketKpi(args, { KAFKA_BOOTSTRAP_SERVERS: '', DATABASE_URL: '', POSTGRES_HOST: '', ...env })
  const { code } = await run.exited
  expect(run.stdout()).toBe('')
  expect(run.stderr()).toMatch(/^[^\n]+\n$/)
  expect(run.stderr()).not.toMatch(/\bat .*:\d+:\d+|Error:/)
  return { code, line: run.stderr().trimEnd() }
}

describe('up', () => {
  it('without Java', async () => {
    await using up = new UpProcess(dataDir(), [], { JAVA_HOME: join(folder.path, 'nowhere') })
    expect(await up.run.exited).toEqual({ code: 1, signal: null })
    expect(up.run.stderr()).toBe(
      `the Kafka broker needs Java 17 or newer, JAVA_HOME=${folder.path}/nowhere has no bin/java that runs: install one (Debian: apt-get install openjdk-17-jre-headless), set JAVA_HOME, or name a running cluster in KAFKA_BOOTSTRAP_SERVERS\n`,
    )
    expect(up.leftovers()).toEqual([])
  })

  it('without Maven and without the jars', async () => {
    const bin = join(folder.path, 'bin')
    mkdirSync(bin)
    const java = execFileSync('sh', ['-c', 'command -v java'], { encoding: 'utf8' }).trim()
    symlinkSync(java, join(bin, 'java'))
    await using up = new UpProcess(dataDir(), [], { PATH: bin, MARKET_KPI_CACHE: join(folder.path, 'cache') })
    expect(await up.run.exited).toEqual({ code: 1, signal: null })
    expect(up.run.stderr()).toBe(
      "Maven is needed once, to fetch the Kafka broker, and 'mvn' is not in PATH: install it (Debian: apt-get install maven), or name a running cluster in KAFKA_BOOTSTRAP_SERVERS\n",
    )
    expect(up.leftovers()).toEqual([])
  })

  it.each<[string, string[], string]>([
    ['no worker', ['--workers', '0'], "'--workers <n>' argument '0' is invalid. must be a whole number from 1 to 64"],
    [
      'an unknown feed',
      ['--feed', 'bogus'],
      "'--feed <source>' argument 'bogus' is invalid. must be simulate, replay:FILE or none",
    ],
    [
      'a feed that is not there yet',
      ['--feed', 'yahoo'],
      "'--feed <source>' argument 'yahoo' is invalid. live prices are not in this version yet: must be simulate, replay:FILE or none",
    ],
  ])('with %s, before anything is started', async (_, args, line) => {
    expect(await refusal(['up', '--data-dir', dataDir(), ...args], {})).toEqual({ code: 2, line: `option ${line}` })
    expect(existsSync(dataDir())).toBe(false)
  })

  it('with a file to replay that is not there, before anything is started', async () => {
    const file = join(folder.path, 'prices.csv')
    expect(await refusal(['up', '--data-dir', dataDir(), '--feed', `replay:${file}`], {})).toEqual({
      code: 2,
      line: `${file} cannot be read: there is no such file`,
    })
    expect(existsSync(dataDir())).toBe(false)
  })

  it('where the data directory is a file', async () => {
    writeFileSync(dataDir(), '')
    expect(await refusal(['up', '--data-dir', dataDir()], {})).toEqual({
      code: 1,
      line: `the data directory ${dataDir()} cannot be written (EEXIST: file already exists): name another with --data-dir`,
    })
  })

  it.each([
    [
      'is full',
      'size=8m',
      'the disk of the data directory DIR is full: 8 MB are free, 256 MB are needed; free some space or name another --data-dir\n',
    ],
    [
      'has not even room for a file',
      'size=16k',
      'the disk of the data directory DIR is full: free some space or name another --data-dir\n',
    ],
    [
      'is read-only',
      'ro',
      'the data directory DIR cannot be written (EROFS: read-only file system): name another with --data-dir\n',
    ],
  ])('where the disk of the data directory %s', async (_, options, line) => {
    mkdirSync(dataDir())
    const run = runProgram(smallDisk(dataDir(), options).run(marketKpiCommand('up', '--data-dir', dataDir())), {
      KAFKA_BOOTSTRAP_SERVERS: '',
      DATABASE_URL: '',
    })
    expect(await run.exited).toEqual({ code: 1, signal: null })
    expect(run.stderr()).toBe(line.replace('DIR', dataDir()))
    expect(run.stdout()).toBe('')
  })

  it('where what stands in the data directory is damaged', async () => {
    mkdirSync(dataDir())
    writeFileSync(join(dataDir(), 'secrets.json'), '{')
    await using up = new UpProcess(dataDir())
    expect(await up.run.exited).toEqual({ code: 1, signal: null })
    expect(up.run.stderr()).toBe(
      `${dataDir()}/secrets.json cannot be read: bring it back, or name another --data-dir\n`,
    )
    expect(up.leftovers()).toEqual([])
    expect(readFileSync(join(dataDir(), 'secrets.json'), 'utf8')).toBe('{')
  })
})

describe('down', () => {
  it.each(['nothing there', 'a file'])('with %s has nothing to do', async (what) => {
    if (what === 'a file') writeFileSync(dataDir(), '')
    const run = marketKpi(['down', '--data-dir', dataDir()])
    expect(await run.exited).toEqual({ code: 0, signal: null })
    expect(run.stdout()).toBe(`nothing runs in ${dataDir()}\n`)
    expect(run.stderr()).toBe('')
  })
})

it.each([
  ['up', 2],
  ['consume', 2],
  ['verify', 3],
])('%s, with a setting that is wrong', async (name, code) => {
  const line = 'WINDOW_SECONDS=abc: must be a whole number from 1 to 86400'
  expect(await refusal([name], { WINDOW_SECONDS: 'abc' })).toEqual({ code, line })
})

it('a command that does not exist', async () => {
  expect(await refusal(['pu'], {})).toEqual({ code: 2, line: "unknown command 'pu' (Did you mean up?)" })
})

describe('servers that are not as told', () => {
  let pipeline: Pipeline
  beforeAll(async () => {
    pipeline = await makePipeline()
  })
  afterAll(() => pipeline[Symbol.asyncDispose]())

  const args = (name: string) => (name === 'up' ? ['up', '--data-dir', dataDir()] : [name])
  const failed = (name: string) => (name === 'verify' ? 3 : 1)

  it.each(['up', 'init', 'consume', 'verify', 'feed'])('%s, when the broker is not there', async (name) => {
    expect(await refusal(args(name), { ...pipeline.env, KAFKA_BOOTSTRAP_SERVERS: '127.0.0.1:1' })).toEqual({
      code: failed(name),
      line: 'Kafka at 127.0.0.1:1 does not answer: connect ECONNREFUSED 127.0.0.1:1',
    })
  })

  it.each(['init', 'consume'])('%s, when the database server is not there', async (name) => {
    const { code, line } = await refusal(args(name), {
      ...pipeline.env,
      DATABASE_URL: 'postgresql://u:p@127.0.0.1:1/d',
    })
    expect(line).toBe('PostgreSQL at 127.0.0.1:1/d does not answer: connect ECONNREFUSED 127.0.0.1:1')
    expect(code).toBe(failed(name))
  })

  it.each(['up', 'init', 'consume', 'verify'])('%s, when the password is wrong', async (name) => {
    const url = new URL(pipeline.env.DATABASE_URL ?? '')
    url.password = 'hunter2'
    const { code, line } = await refusal(args(name), { ...pipeline.env, DATABASE_URL: url.href })
    expect(line).toBe(
      `PostgreSQL at ${url.host}${url.pathname} refused the login (password authentication failed for user "bi_user"): check POSTGRES_USER and POSTGRES_PASSWORD, or DATABASE_URL`,
    )
    expect(code).toBe(failed(name))
  })

  it.each(['consume', 'verify'])('%s, when the database is missing', async (name) => {
    const url = new URL(inject('ownerUrl'))
    url.pathname = '/nowhere'
    const { code, line } = await refusal(args(name), { ...pipeline.env, DATABASE_URL: url.href })
    expect(line).toBe(
      `database "nowhere" does not exist at ${url.host}/nowhere: correct its name, or create it with 'market-kpi init'`,
    )
    expect(code).toBe(failed(name))
  })

  it.each(['consume'])('%s, when the schema is missing', async (name) => {
    const { code, line } = await refusal(args(name), { ...pipeline.env, DATABASE_URL: inject('ownerUrl') })
    expect(line).toMatch(
      /^the schema at .* is missing or old \(relation "\w+" does not exist\): run 'market-kpi init'$/,
    )
    expect(code).toBe(failed(name))
  })

  it.each(['consume', 'feed'])('%s, when the topic is missing', async (name) => {
    const { code, line } = await refusal(args(name), { ...pipeline.env, KAFKA_TOPIC: 'nowhere' })
    expect(line).toBe("the topic 'nowhere' does not exist: check KAFKA_TOPIC, or create it with 'market-kpi init'")
    expect(code).toBe(1)
  })

  it('consume, when the port of its metrics is taken', async () => {
    const server = createServer().listen({ port: 0, host: '127.0.0.1' })
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const { code, line } = await refusal(['consume', '--http-port', String(port)], pipeline.env)
    server.close()
    expect(line).toContain(String(port))
    expect(code).toBe(1)
  })
})
