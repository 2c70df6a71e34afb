import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { killAllChildren } from '../../../src/process/child.ts'
import { RunRecords } from '../../../src/process/run-records.ts'
import { commandPart } from '../../../src/stack/command-part.ts'
import { temporaryFolder } from '../../temporary-folder.ts'

const soon = { timeout: 15_000 }
let folder: ReturnType<typeof temporaryFolder>
let records: RunRecords
beforeEach(() => {
  folder = temporaryFolder()
  records = new RunRecords(folder.path)
})
afterEach(() => {
  killAllChildren()
  folder[Symbol.dispose]()
})

/** A command line of the test's own in place of market-kpi's. */
function part(
  name: string,
  program: string,
  options: { args?: () => Promise<string[]>; readyTimeoutMs?: number } = {},
) {
  const cliEntry = join(folder.path, 'entry.mjs')
  writeFileSync(cliEntry, program)
  const { args = async () => ['consume'], readyTimeoutMs = 20_000 } = options
  return commandPart({
    name,
    cliEntry,
    args,
    env: { ...process.env, GREETING: 'hello' },
    logsDir: folder.path,
    records,
    readyTimeoutMs,
  })
}

const never = new AbortController().signal
const ready = `process.send({ type: 'ready', http: 'http://127.0.0.1:9464' }); setInterval(() => {}, 1000)`
const log = (name: string) => readFileSync(join(folder.path, `${name}.log`), 'utf8')

it('runs once it says so, with its arguments and environment, and is on record', async () => {
  const worker = part('worker-1', `console.log(process.argv.slice(2).join(' '), process.env.GREETING); ${ready}`, {
    args: async () => ['consume', '--http-port', '9464'],
  })
  const running = await worker.start(never)
  expect(running.http).toBe('http://127.0.0.1:9464')
  expect(records.all()).toMatchObject([{ name: 'worker-1', pid: running.pid }])
  await running.stop(10_000)
  expect(await running.exited).toEqual({ code: null, signal: 'SIGTERM' })
  expect(log('worker-1')).toBe('consume --http-port 9464 hello\n')
  expect(records.all()).toEqual([])
})

it('asks for its arguments at each start', async () => {
  let port = 9464
  const worker = part('worker-1', `console.log(process.argv[2]); ${ready}`, { args: async () => [String(port++)] })
  for (let n = 0; n < 2; n++) await (await worker.start(never)).stop(10_000)
  expect(log('worker-1')).toBe('9464\n9465\n')
})

it('takes other messages for what they are', async () => {
  const running = await part(
    'feed',
    `process.send('hi'); process.send({ type: 'ready', http: 1 }); process.send({ type: 'ready' }); setInterval(() => {}, 1000)`,
  ).start(never)
  expect(running.http).toBeUndefined()
  await running.stop(10_000)
})

describe('a start that fails', () => {
  it('tells the last words of the command', async () => {
    const feed = part('feed', `console.error('the broker is gone'); process.exitCode = 1`)
    await expect(feed.start(never)).rejects.toMatchObject({
      code: 'KPI_CHILD_FAILED',
      message: 'feed ended with code 1: the broker is gone',
    })
  })

  it('is the error that the command says it ends on', async () => {
    const said = `{ type: 'failed', code: 'KPI_FEED_FILE', message: 'prices.csv, line 7: no price' }`
    const feed = part('feed', `process.exitCode = 1; process.send(${said}); process.disconnect()`)
    await expect(feed.start(never)).rejects.toMatchObject({
      code: 'KPI_FEED_FILE',
      message: 'feed ended with code 1: prices.csv, line 7: no price',
    })
    const unknown = part(
      'feed',
      `process.exitCode = 1; process.send({ type: 'failed', code: 'toString' }); process.disconnect()`,
    )
    await expect(unknown.start(never)).rejects.toMatchObject({ code: 'KPI_CHILD_FAILED' })
  })

  it('gives up one that does not become ready, and ends it', async () => {
    const feed = part('feed', `console.log(process.pid); setInterval(() => {}, 1000)`, { readyTimeoutMs: 500 })
    await expect(feed.start(never)).rejects.toMatchObject({
      code: 'KPI_CHILD_FAILED',
      message: 'feed was not ready within 0.5 s: see its log',
    })
    expect(records.all()).toEqual([])
  })

  it('ends what was begun when it is aborted', async () => {
    const stop = new AbortController()
    const starting = part('feed', `console.log('up'); setInterval(() => {}, 1000)`).start(stop.signal)
    await expect.poll(() => records.all(), soon).toHaveLength(1)
    stop.abort(new Error('stopping'))
    await expect(starting).rejects.toThrow('stopping')
    expect(records.all()).toEqual([])
  })

  it('starts nothing when it is aborted before', async () => {
    await expect(part('feed', ready).start(AbortSignal.abort(new Error('stopping')))).rejects.toThrow('stopping')
    expect(records.all()).toEqual([])
  })
})

it('that does not end by the deadline is killed', async () => {
  const running = await part('worker-1', `process.on('SIGTERM', () => console.log('no')); ${ready}`).start(never)
  await Promise.all([running.stop(1000), running.stop(1000)])
  expect(await running.exited).toEqual({ code: null, signal: 'SIGKILL' })
  expect(log('worker-1')).toBe('no\n')
  expect(running.failure(await running.exited).message).toBe('worker-1 was killed (SIGKILL)')
})

it.each([
  ['feed', 0],
  ['worker-3', 1],
])('%s ends in stage %d', (name, stage) => {
  expect(part(name, '')).toMatchObject({ name, stage })
})
