// Exit codes of wrong values and options: 2, and 3 of the commands whose 1 and 2 say what they found.
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../temporary-folder.ts'
import { root } from './tracked-files.ts'

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const folder = temporaryFolder()
/** Nobody listens there: what asks a server before it has looked at its arguments ends with another code. */
const noServers = {
  KAFKA_BOOTSTRAP_SERVERS: '127.0.0.1:1',
  DATABASE_URL: 'postgresql://nobody:x@127.0.0.1:1/nothing',
  POSTGRES_SSLMODE: 'disable',
  NODE_COMPILE_CACHE: join(folder.path, 'compiled'),
}

async function marketKpi(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const launcher = join(root, 'bin', 'market-kpi.js')
  const child = spawn(process.execPath, [launcher, ...args], {
    cwd: folder.path,
    env: { PATH: process.env.PATH ?? '', HOME: folder.path, NO_COLOR: '1', ...noServers, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 100_000,
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  return { code, stdout, stderr }
}

beforeAll(() => {
  writeFileSync(join(folder.path, 'bad.json'), '{')
  writeFileSync(join(folder.path, 'prices.csv'), 'symbol,timestamp,close,volume\n')
})

afterAll(() => folder[Symbol.dispose]())

/** Of each command: a call that needs nothing more than servers, and calls with a wrong value or a missing argument. */
const table: Readonly<Record<string, { readonly right: string; readonly wrong: readonly string[] }>> = {
  up: {
    right: '--data-dir d',
    wrong: [
      '--workers 0',
      '--kafka-port x',
      '--postgres-port 70000',
      '--feed nonsense',
      '--feed replay:/nowhere/prices.csv',
      '--data-dir',
      'extra',
    ],
  },
  down: { right: '--data-dir d', wrong: ['--data-dir', 'extra'] },
  init: { right: '', wrong: ['--partition-by nonsense', '--bootstrap-servers a:b:c', '--topic a/b', '--group'] },
  feed: {
    right: 'simulate',
    wrong: [
      'nonsense',
      'simulate extra',
      'simulate --speed 3',
      'replay:/nowhere/prices.csv',
      'replay:.',
      'replay:prices.csv --speed x',
      'replay:prices.csv --map nonsense',
      'replay:prices.csv --rate 3',
      '--rate x',
      '--count 0.5',
      '--disorder 2',
      '--disorder-seconds x',
      '--duplicates x',
      '--bad x',
      '--pause-every x',
      '--pause-for x',
      '--compression nonsense',
      '--http-port x',
    ],
  },
  consume: {
    right: '',
    wrong: ['--workers 0', '--batch-size 0', '--batch-wait-ms x', '--max-pool-connections 0', '--http-port 65536'],
  },
  health: { right: '', wrong: ['--watch 0', '--topic a/b', 'extra'] },
  'monitor --once': { right: '', wrong: ['--interval x', '--topic a/b'] },
  monitor: { right: '', wrong: ['--interval x', '--topic a/b'] },
  'alerts check': { right: '', wrong: ['--topic a/b', 'extra'] },
  'alerts watch': { right: '', wrong: ['--interval x', '--http-port x'] },
  'alerts list': { right: '', wrong: ['extra'] },
  'alerts history': { right: '', wrong: ['--since x', '--limit x'] },
  'alerts silence': { right: 'KpiStale --for 1h', wrong: ['', 'KpiStale', 'KpiStale --for x', '=x --for 1h'] },
  'alerts unsilence': { right: '1', wrong: ['', 'x'] },
  'alerts test': { right: '', wrong: ['--notifier nonsense'] },
  'alerts explain': { right: '', wrong: ['Nonsense'] },
  verify: { right: '', wrong: ['--from x', '--to 2026-02-30', '--show x', '--symbol'] },
  rebuild: { right: '--all --yes', wrong: ['--yes', '--from x --yes', '--to x --yes', '--all --symbol A --yes'] },
  prune: {
    right: '--rows-older-than 9d --dry-run',
    wrong: ['', '--every x', '--rows-older-than x', '--letters-older-than x', '--rows-older-than 1d --http-port 1'],
  },
  'offsets show': { right: '', wrong: ['--topic a/b'] },
  'offsets accept-gap': { right: '--all --yes', wrong: ['', '--partition x', '--all --partition 0'] },
  'dead-letters list': { right: '', wrong: ['--reason nonsense', '--since x', '--limit x'] },
  'dead-letters show': { right: '0 0', wrong: ['', '0', 'x 0', '0 x'] },
  'dead-letters retry': {
    right: '--all',
    wrong: ['', '0', '0 0 --all', '0 0 --file /nowhere/value.json', '--all --value {}', '--all --reason nonsense'],
  },
  'dead-letters purge': { right: '--older-than 9d', wrong: ['', '--older-than x', '--reason nonsense'] },
  open: { right: 'grafana', wrong: ['', 'nonsense'] },
  'export prometheus-rules': { right: '', wrong: ['--interval x'] },
  'export grafana': { right: '--out g', wrong: ['', '--out g --prometheus-url nonsense', '--out bad.json/x'] },
  'export config-schema': { right: '', wrong: ['extra'] },
  bench: {
    right: '--quick',
    wrong: [
      'nonsense',
      '--cases nonsense',
      '--messages x',
      '--symbols x',
      '--windows 0',
      '--compression nonsense',
      '--unusual 101',
      '--workers 0',
      '--partitions 0',
      '--runs 0',
      '--rates x',
      '--waits x',
      '--settings nonsense',
      '--variants nonsense',
      '--seconds 0',
      '--save /nowhere/report.json',
      '--compare /nowhere/report.json',
      '--compare bad.json',
    ],
  },
}

const checks = ['health', 'monitor --once', 'alerts check', 'verify']
/** These read no settings. */
const withoutSettings = ['export config-schema', 'alerts explain']

/** The commands as `--help` lists them, with those below a command. */
async function listed(path: readonly string[] = []): Promise<string[]> {
  const { stdout } = await marketKpi([...path, '--help'])
  const names = [...(stdout.split(/^Commands:$/m)[1] ?? '').matchAll(/^ {2}([a-z][\w-]*)/gm)].map(
    ([, name = '']) => name,
  )
  const below = names.filter((name) => name !== 'help')
  if (below.length === 0) return [path.join(' ')]
  return (await Promise.all(below.map((name) => listed([...path, name])))).flat()
}

it('the table holds every command', async () => {
  const commands = await listed()
  expect(Object.keys(table).filter((name) => name !== 'monitor --once')).toEqual(expect.arrayContaining(commands))
})

async function expectRefused(call: string, env: Record<string, string> = {}): Promise<void> {
  const isCheck = checks.some((name) => call === name || call.startsWith(`${name} `))
  const { code, stdout, stderr } = await marketKpi(call.split(' ').filter(Boolean), env)
  expect({ code, stdout }, stderr).toEqual({ code: isCheck ? 3 : 2, stdout: '' })
  // One line that says what is wrong.
  expect(stderr).toMatch(/^[^\n]{5,}\n$/)
}

describe.concurrent.each(Object.entries(table))('%s', (command, { right, wrong }) => {
  it.each([...wrong.map((args) => `${command} ${args}`), `${command} ${right} --nonsense`])('refuses: %s', (call) =>
    expectRefused(call),
  )
})

const withSettings = Object.entries(table).filter(([command]) => !withoutSettings.includes(command))

it.concurrent.each(withSettings)('%s refuses a wrong value of the environment', (command, { right }) =>
  expectRefused(`${command} ${right}`, { WINDOW_SECONDS: 'x' }),
)

it.concurrent.each(['consume', 'health', 'alerts list'])(
  '%s refuses thresholds that contradict each other',
  (command) => expectRefused(command, { LAG_TARGET_MESSAGES: '5', LAG_WARNING_MESSAGES: '5' }),
)

it.concurrent.each(['nonsense', 'alerts nonsense', 'offsets nonsense', 'dead-letters nonsense', 'export nonsense'])(
  'an unknown command is refused: %s',
  (call) => expectRefused(call),
)
