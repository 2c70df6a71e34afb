// `monitor` as a command: once, as lines, and on a terminal, on a pipeline that works and while servers are dead.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { anyDiskEnv, sendNow } from '../scenes/observing.ts'
import { makePipeline, type Pipeline } from '../scenes/pipeline.ts'
import { marketKpi } from '../scenes/processes.ts'
import { until } from '../scenes/until.ts'
import { startWorker, type TestWorker, untilCounted } from '../scenes/worker.ts'
import { OwnServers } from '../servers/own-servers.ts'
import { onTerminal } from '../servers/own-terminal.ts'

const own = new OwnServers()
let pipeline: Pipeline
let worker: TestWorker

// What is sent may fall into two windows, one after the other: rows and windows are counted as one or two a symbol.
beforeAll(async () => {
  pipeline = await makePipeline({ servers: await own.start() })
  worker = await startWorker(pipeline)
  await sendNow(pipeline, 100)
  await untilCounted(pipeline, 100)
})

afterAll(async () => {
  await worker.stop()
  await pipeline[Symbol.asyncDispose]()
  await own.stop()
})

function environment(): Record<string, string> {
  return { ...anyDiskEnv, ...pipeline.env }
}

async function monitor(...args: string[]) {
  const run = marketKpi(['monitor', ...args], environment())
  const { code } = await run.exited
  return { code, stdout: run.stdout(), stderr: run.stderr() }
}

it('prints all sections once, and exits with 0 while all is well', async () => {
  await sendNow(pipeline, 10)
  const { code, stdout, stderr } = await monitor('--once')
  expect(stderr).toBe('')
  const titles = stdout.split('\n').filter((line) => /^(\[|REAL)/.test(line))
  expect(titles).toEqual([
    'REAL-TIME PIPELINE MONITORING DASHBOARD',
    '[KAFKA STATUS]',
    '[POSTGRESQL STATUS]',
    '[CONSUMER STATUS]',
    '[KPI STATISTICS BY SYMBOL]',
    '[ALERTS]',
  ])
  expect(stdout).toMatch(/OK: all systems operational$/m)
  for (const line of ['status: OK', 'broker_count: 1', 'controller_id: 1', 'partitions: 3']) {
    expect(stdout).toContain(`  ${line}\n`)
  }
  expect(stdout).toMatch(/^ {2}Total Rows: [12]\d$/m)
  expect(stdout).toMatch(/^ {2}Table Size: [\d.]+ kB$/m)
  expect(stdout).toMatch(/^ {4}SYM0 +\d+ {2}20\S+Z$/m)
  expect(stdout).toMatch(/^ {2}Symbol +Windows +Avg Price +Min +Max +Total Volume$/m)
  expect(stdout).toMatch(/^ {2}SYM9 +[12] +[\d.]+ +10 +100 +1\d$/m)
  expect(stdout).toMatch(/^ {2}messages_processed: 1\d\d$/m)
  expect(code).toBe(0)
})

it('prints one line of JSON once, with everything', async () => {
  await sendNow(pipeline, 10)
  const { code, stdout } = await monitor('--once', '--json')
  expect(stdout.trimEnd().split('\n')).toHaveLength(1)
  const seen = JSON.parse(stdout)
  expect(seen).toMatchObject({ verdict: 'ok', firstBrokenStage: null, alerts: { state: 'ok', firing: [] } })
  expect(seen.statistics.symbols).toHaveLength(10)
  expect(seen.snapshot.kafka.topic.partitions).toHaveLength(3)
  expect(code).toBe(0)
})

it('prints a line a look where there is no terminal, until it is told to stop', async () => {
  const run = marketKpi(['monitor', '--interval', '0.5'], environment())
  await until('three lines', run.stdout, (text) => text.split('\n').length > 3)
  run.child.kill('SIGTERM')
  expect(await run.exited).toEqual({ code: 0, signal: null })
  for (const line of run.stdout().trimEnd().split('\n')) {
    expect(line).toMatch(/^20\S+Z (OK|WARNING) {2}rate \S+ {2}lag \d+ {2}rows [12]\d {2}\S/)
  }
})

it('prints a line of JSON a look', async () => {
  const run = marketKpi(['monitor', '--interval', '0.5', '--json'], environment())
  await until('two lines', run.stdout, (text) => text.split('\n').length > 2)
  run.child.kill('SIGINT')
  expect((await run.exited).code).toBe(0)
  const lines = run.stdout().trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line).snapshot.version)).toEqual(lines.map(() => 2))
})

it.each(['q', 'Ctrl-C', 'SIGTERM', 'SIGHUP'] as const)('gives the terminal back at %s', async (end) => {
  const run = onTerminal(['monitor', '--interval', '0.5'], { ...environment(), TERM: 'xterm-256color' })
  await until('a screen', run.shown, (shown) => shown.includes('partitions of'))
  expect(run.shown()).toContain('\u001b[?1049h')
  if (end === 'q') run.type('q')
  else if (end === 'Ctrl-C') run.type('\u0003')
  else await run.signal(end)
  expect(await run.exited).toBe(0)
  expectGivenBack(run.shown())
})

it('gives the terminal back while it is stopped by Ctrl-Z, and takes it again', async () => {
  const run = onTerminal(['monitor', '--interval', '0.5'], { ...environment(), TERM: 'xterm-256color' })
  await until('a screen', run.shown, (shown) => shown.includes('partitions of'))
  await run.stop()
  await run.goOn()
  const enter = '\u001b[?1049h'
  const again = (shown: string) => shown.split(enter)[2] ?? ''
  await until('a screen again', run.shown, (shown) => again(shown).includes('Alerts'))
  // Looked at only now: the terminal stops with what runs in it, and may show later what came just before.
  expectGivenBack(run.shown().split(enter).slice(0, 2).join(enter))
  run.type('q')
  expect(await run.exited).toBe(0)
  expectGivenBack(run.shown())
})

it('prints lines on a dumb terminal', async () => {
  const run = onTerminal(['monitor', '--interval', '0.5'], { ...environment(), TERM: 'dumb' })
  await until('two lines', run.shown, (shown) => shown.split('\n').length > 2)
  await run.signal('SIGTERM')
  expect(await run.exited).toBe(0)
  expect(run.shown()).toMatch(/^20\S+Z [A-Z]+ {2}rate/)
  expect(run.shown()).not.toContain('\u001b')
})

it.each([
  { args: ['--interval', '0'], expected: 2 },
  { args: ['--once', '--interval', '0'], expected: 3 },
])('refuses an interval that is none: $args ends with $expected', async ({ args, expected }) => {
  const { code, stderr } = await monitor(...args)
  expect(stderr).toContain('must be a number from 0.5 to 3600')
  expect(code).toBe(expected)
})

it('with a dead broker: says so, shows the rest, and exits with 2', async () => {
  own.kafka.kill()
  await own.kafka.exited
  try {
    const { code, stdout } = await monitor('--once')
    expect(stdout).toMatch(/CRITICAL: Kafka: \S+ does not answer/)
    expect(stdout).toMatch(/^ {2}status: UNREACHABLE - Kafka at/m)
    expect(stdout).toMatch(/^ {2}broker_count: unknown - Kafka at/m)
    expect(stdout).toMatch(/^ {2}lag: unknown - /m)
    expect(stdout).toMatch(/^ {2}SYM9 +[12] /m)
    expect(stdout).toMatch(/^ {2}✗ KafkaUnreachable \(found\)/m)
    expect(code).toBe(2)
  } finally {
    await own.startKafka()
  }
})

it('with a frozen database: says so within ten seconds, and exits with 2', async () => {
  process.kill(own.postgres.pid, 'SIGSTOP')
  try {
    const { code, stdout } = await monitor('--once')
    expect(stdout).toMatch(/^ {2}Status: UNREACHABLE - PostgreSQL at/m)
    expect(stdout).toMatch(/^ {2}broker_count: 1$/m)
    expect(stdout).toMatch(/\[KPI STATISTICS BY SYMBOL\]\n {2}unknown - /)
    expect(code).toBe(2)
  } finally {
    process.kill(own.postgres.pid, 'SIGCONT')
  }
})

/** The usual screen again, with its cursor. */
function expectGivenBack(shown: string): void {
  for (const [on, off] of [
    ['\u001b[?1049l', '\u001b[?1049h'],
    ['\u001b[?25h', '\u001b[?25l'],
  ] as const) {
    expect(shown.lastIndexOf(on)).toBeGreaterThan(shown.lastIndexOf(off))
  }
}
