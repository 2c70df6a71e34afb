// Every command as a process on an empty, an idle and a busy pipeline: exit code, time, and nothing but log lines on stderr.
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../temporary-folder.ts'
import { anyDiskEnv, lookAt, sendNow } from '../scenes/observing.ts'
import { makePipeline, type Pipeline } from '../scenes/pipeline.ts'
import { endChild, marketKpi, type Run } from '../scenes/processes.ts'
import { until } from '../scenes/until.ts'
import { untilCounted } from '../scenes/worker.ts'

/** Long for what they do; shorter than the 30 s for which a forgotten request or timer would hold a process. */
const longestMs = 25_000

type State = 'empty' | 'idle' | 'busy'

interface Row {
  readonly command: string
  /** By state; one for all states. */
  readonly code: number | Readonly<Record<State, readonly number[]>>
  /** What stderr says instead of log lines, where the command fails. */
  readonly says?: RegExp
}

/** Nobody consumes an empty pipeline; in a busy one somebody may wait for a moment. */
const healthy = { empty: [2], idle: [0], busy: [0, 1] }

/** OUT stands for a folder of the test. */
const rows: readonly Row[] = [
  { command: 'health', code: healthy },
  { command: 'health --json', code: healthy },
  { command: 'health --perfdata', code: healthy },
  { command: 'monitor --once', code: healthy },
  { command: 'monitor --once --json', code: healthy },
  { command: 'alerts check', code: healthy },
  { command: 'alerts check --json --all', code: healthy },
  { command: 'alerts list', code: 0 },
  { command: 'alerts history --since 1h', code: 0 },
  { command: 'alerts silence KpiStale --for 1h', code: 0 },
  { command: 'alerts unsilence 999', code: 2, says: /^there is no silence 999/ },
  { command: 'alerts explain', code: 0 },
  { command: 'alerts explain TransactionStuck', code: 0 },
  { command: 'alerts test', code: 0 },
  { command: 'verify', code: 0 },
  { command: 'verify --json --from 2026-01-01', code: 0 },
  { command: 'offsets show', code: 0 },
  { command: 'offsets show --json', code: 0 },
  { command: 'offsets accept-gap --all --yes', code: 0 },
  { command: 'dead-letters list', code: 0 },
  { command: 'dead-letters show 0 999999', code: 1, says: /999999/ },
  { command: 'dead-letters retry --all', code: 0 },
  { command: 'dead-letters purge --older-than 9d --yes', code: 0 },
  { command: 'rebuild --all --yes --dry-run', code: 0 },
  { command: 'rebuild --all --yes', code: 0 },
  { command: 'rebuild --from 2026-01-01 --yes', code: 0 },
  { command: 'rebuild --symbol SYM1 --yes --json', code: 0 },
  { command: 'prune --rows-older-than 9d --dry-run', code: 0 },
  { command: 'export prometheus-rules', code: 0 },
  { command: 'export grafana --out OUT', code: 0 },
  { command: 'export config-schema', code: 0 },
  { command: 'open grafana', code: 1, says: /^nothing answers at http:\/\/127\.0\.0\.1:1/ },
]

/** They run until they are stopped, and then end with 0. */
const services = [
  'consume --http-port 0',
  'feed simulate --rate 5 --http-port 0',
  'alerts watch --interval 1s --http-port 0',
  'prune --every 1h --rows-older-than 9d --yes --http-port 0',
  'monitor --interval 1',
  'health --watch 1 --quiet',
]

interface Scene {
  readonly pipeline: Pipeline
  readonly running: readonly Run[]
}

const out = temporaryFolder()
afterAll(() => out[Symbol.dispose]())

function start({ env }: Pipeline, command: string): Run {
  const args = command.replace('OUT', join(out.path, 'grafana')).split(' ')
  return marketKpi(args, { ...env, ...anyDiskEnv, LOG_FORMAT: 'json', GRAFANA_URL: 'http://127.0.0.1:1' })
}

async function sceneOf(state: State): Promise<Scene> {
  const pipeline = await makePipeline()
  if (state === 'empty') {
    await until(
      'the broker knows of the group',
      () => lookAt(pipeline),
      ({ kafka }) => kafka.group.state === 'ok',
    )
    return { pipeline, running: [] }
  }
  const running = [start(pipeline, 'consume --http-port 0')]
  if (state === 'busy') running.push(start(pipeline, 'feed simulate --rate 300 --http-port 0'))
  await sendNow(pipeline, 100)
  await untilCounted(pipeline, 100)
  return { pipeline, running }
}

function expectLogOnly(stderr: string): void {
  for (const line of stderr.split('\n').filter(Boolean)) {
    expect(line, stderr).toMatch(/^\{"level":/)
  }
}

async function expectEnd({ pipeline }: Scene, state: State, { command, code, says }: Row): Promise<void> {
  const startMs = performance.now()
  const run = start(pipeline, command)
  const { code: found } = await run.exited
  const tookMs = performance.now() - startMs
  const stderr = run.stderr()
  expect(typeof code === 'number' ? [code] : code[state], `${run.stdout()}\n${stderr}`).toContain(found)
  if (says === undefined) expectLogOnly(stderr)
  else expect(stderr).toMatch(says)
  expect(stderr).not.toMatch(/\n {4}at /)
  expect(tookMs).toBeLessThan(longestMs)
}

describe.each<State>(['empty', 'idle', 'busy'])('a pipeline that is %s', (state) => {
  let scene: Scene

  beforeAll(async () => {
    scene = await sceneOf(state)
  })

  afterAll(async () => {
    for (const run of scene.running) await endChild(run.child)
    await scene.pipeline[Symbol.asyncDispose]()
  })

  // One at a time: what is measured is a command, and not how many of them the machine can do at once.
  it.each(rows.map((row) => [row.command, row] as const))('%s', (_, row) => expectEnd(scene, state, row))
})

it.each(services)('%s ends at once when it is told to, with 0', async (command) => {
  await using pipeline = await makePipeline()
  const run = start(pipeline, command)
  const isRunning = () => run.stdout() !== '' || run.stderr().includes('HTTP at') || run.child.exitCode !== null
  await until('it runs', isRunning, Boolean)
  run.child.kill('SIGTERM')
  const startMs = performance.now()
  const code = command.startsWith('health') ? 2 : 0
  expect(await run.exited, run.stderr()).toEqual({ code, signal: null })
  expect(performance.now() - startMs).toBeLessThan(longestMs)
  expectLogOnly(run.stderr())
})
