// A stack whose feed ends on an error that no other start can change; and the commands that find its servers by its
// data directory. The tests are the chapters of one story and run in their order.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { temporaryFolder } from '../../temporary-folder.ts'
import { marketKpi } from '../scenes/processes.ts'
import { until } from '../scenes/until.ts'
import { UpProcess } from '../scenes/up-process.ts'

const folder = temporaryFolder()
const dataDir = join(folder.path, 'data')
const file = join(folder.path, 'no-prices.csv')
let up: UpProcess

beforeAll(async () => {
  writeFileSync(file, `symbol,timestamp,close,volume\n${'AAPL,no time,no price,1\n'.repeat(3)}`)
  up = new UpProcess(dataDir, ['--feed', `replay:${file}`])
  await up.ready()
})

afterAll(async () => {
  await up[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

/** What a command says that is told no server but the data directory. */
async function command(...args: string[]) {
  const env = {
    KAFKA_BOOTSTRAP_SERVERS: '',
    DATABASE_URL: '',
    POSTGRES_HOST: '',
    DISK_WARNING_PERCENT: '99',
    DISK_CRITICAL_PERCENT: '100',
  }
  const run = marketKpi([...args, '--data-dir', dataDir], env)
  const { code } = await run.exited
  return { code, stdout: run.stdout(), stderr: run.stderr() }
}

it('reports once why there is no feed, and does not start it again', async () => {
  const said = /ERROR: feed ended with code 1: .*no-prices\.csv.*$/gm
  await until(
    'the failure is reported',
    () => up.run.stderr(),
    (text) => said.test(text),
  )
  await until(
    'endpoints.json shows it',
    () => up.endpoints,
    ({ feedFailure }) => feedFailure !== undefined,
  )
  expect(up.endpoints.feedFailure).toContain('no-prices.csv')
  expect(up.endpoints.feed).toBeUndefined()
})

it('keeps the rest running, and health says what happened to the feed', async () => {
  const health = await until(
    'health knows of the feed',
    () => command('health'),
    // The worker joins its group a moment after everything has started.
    ({ stdout }) => stdout.includes('the feed ended on an error') && stdout.includes('Consumer lag: OK'),
  )
  expect(health.stdout).toMatch(/^Feed activity: WARNING - the feed ended on an error: .*no-prices\.csv/m)
  expect(health.stdout).toContain('Consumer lag: OK - 0 messages\n')
  expect(health.stdout).toMatch(/^DEGRADED: Feed - /m)
  expect(health).toMatchObject({ code: 1, stderr: '' })
  const { kafka, workers } = up.endpoints.pids
  for (const pid of [kafka ?? -1, ...workers]) expect(process.kill(pid, 0)).toBe(true)
})

it('commands take another feed and check the rows, with the rights that each needs', async () => {
  expect(await command('feed', 'simulate', '--count', '500', '--rate', 'max')).toMatchObject({ code: 0 })
  await until(
    'all in the rows',
    () => command('verify'),
    ({ code, stdout }) => code === 0 && /messages read +500/.test(stdout),
  )
  for (const args of [
    ['offsets', 'show'],
    ['dead-letters', 'list'],
    ['alerts', 'list'],
    ['monitor', '--once'],
    ['init'],
  ]) {
    expect(await command(...args)).toMatchObject({ code: expect.any(Number), stderr: '' })
  }
  expect(await command('dead-letters', 'list')).toMatchObject({ code: 0, stdout: 'no rejected messages\n' })
})

it('by then the feed was started once and its failure reported once', () => {
  const lines = up.run.stderr().split('\n')
  expect(lines.filter((line) => line.includes('no-prices.csv'))).toHaveLength(1)
  expect(lines.filter((line) => line.includes('feed runs again'))).toEqual([])
})

it('commands say in one line that it was killed', async () => {
  const { pid } = up.run
  await up.end('SIGKILL')
  expect(await command('health')).toEqual({
    code: 3,
    stdout: '',
    stderr: `the pipeline in ${dataDir} does not run: its 'market-kpi up' (pid ${pid}) was killed; start it again with 'npm start -- --data-dir ${dataDir}'\n`,
  })
  expect(await command('offsets', 'show')).toMatchObject({ code: 1, stdout: '' })
})
