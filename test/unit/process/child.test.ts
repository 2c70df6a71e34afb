import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Child, type ChildExit, failureOf, killAllChildren } from '../../../src/process/child.ts'
import { LineTail } from '../../../src/process/line-tail.ts'
import { identify } from '../../../src/process/process-identity.ts'
import { RotatingLog } from '../../../src/process/rotating-log.ts'
import { RunRecords } from '../../../src/process/run-records.ts'
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

function start(script: string, command = 'sh'): Promise<Child> {
  const output = new RotatingLog({ logsDir: folder.path, name: 'part' })
  return Child.start({ name: 'part', command, args: ['-c', script], output, records })
}

function log(): string {
  const path = join(folder.path, 'part.log')
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

it('has its output in its log, and its identity on record while it runs', async () => {
  const child = await start('echo to stdout; echo to stderr >&2; exec sleep 600')
  expect(records.all()).toMatchObject([{ name: 'part', ...identify(child.pid) }])
  expect(child.ended).toBe(false)
  await expect.poll(() => log().split('\n'), soon).toHaveLength(3)
  child.signal('SIGTERM')
  expect(await child.exited).toEqual({ code: null, signal: 'SIGTERM' })
  expect(child.ended).toBe(true)
  expect(records.all()).toEqual([])
  expect(log().split('\n').sort()).toEqual(['', 'to stderr', 'to stdout'])
})

it('runs in a session of its own, where no Ctrl-C reaches it', async () => {
  const child = await start('exec sleep 600')
  const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
  const session = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3])
  expect(session).toBe(child.pid)
  child.signal('SIGKILL')
  await child.exited
})

it('is over though a grandchild still holds its output open', async () => {
  const child = await start('sleep 600 & echo $!; exit 3')
  expect(await child.exited).toEqual({ code: 3, signal: null })
  process.kill(Number(log()), 'SIGKILL')
})

it('that cannot be started at all is told in one line', async () => {
  await expect(start('', join(folder.path, 'nothing'))).rejects.toMatchObject({
    code: 'KPI_CHILD_FAILED',
    message: expect.stringMatching(/^cannot start part: spawn .* ENOENT$/),
  })
})

it('that cannot be put on record does not run', async () => {
  symlinkSync('/proc', join(folder.path, 'run'))
  let pid: number | undefined
  const output = new RotatingLog({ logsDir: folder.path, name: 'part' })
  const noting = new RunRecords(folder.path)
  const write = noting.write.bind(noting)
  noting.write = (name, given, command) => {
    pid = given
    write(name, given, command)
  }
  await expect(
    Child.start({ name: 'part', command: 'sleep', args: ['600'], output, records: noting }),
  ).rejects.toMatchObject({ syscall: 'open' })
  await expect.poll(() => identify(pid ?? 0), soon).toBeUndefined()
})

describe('stop', () => {
  it('asks, and is content with a graceful end', async () => {
    const child = await start(`trap 'exit 7' TERM; echo up; while :; do sleep 0.05; done`)
    await expect.poll(() => child.tail.find(/up/), soon).toBeDefined()
    expect(await child.stop([{ signal: 'SIGTERM', waitMs: 10_000 }])).toEqual({ code: 7, signal: null })
  })

  it('goes from one signal to the next, and kills at last', async () => {
    const child = await start(`trap 'echo term' TERM; trap 'echo int' INT; echo up; while :; do sleep 0.02; done`)
    await expect.poll(() => child.tail.find(/up/), soon).toBeDefined()
    const exit = await child.stop([
      { signal: 'SIGINT', waitMs: 1000 },
      { signal: 'SIGTERM', waitMs: 1000 },
    ])
    expect(exit).toEqual({ code: null, signal: 'SIGKILL' })
    expect(log()).toBe('up\nint\nterm\n')
  })

  it('of one that has ended is over at once', async () => {
    const child = await start('exit 0')
    await child.exited
    expect(await child.stop([{ signal: 'SIGTERM', waitMs: 60_000 }])).toEqual({ code: 0, signal: null })
  })
})

describe('one that ends by itself when its work is done', () => {
  it('is waited for', async () => {
    await (await start('sleep 0.1')).finish(undefined)
  })

  it('tells why it failed', async () => {
    const child = await start('echo the disk is gone >&2; exit 2')
    await expect(child.finish(undefined)).rejects.toMatchObject({
      code: 'KPI_CHILD_FAILED',
      message: 'part ended with code 2: the disk is gone',
    })
  })

  it('is ended when nobody wants it any more', async () => {
    const [child, late] = [await start('exec sleep 600'), await start('exec sleep 600')]
    const stop = new AbortController()
    const finished = child.finish(stop.signal)
    stop.abort(new Error('stopping'))
    await expect(finished).rejects.toThrow('stopping')
    await expect(late.finish(stop.signal)).rejects.toThrow('stopping')
    expect([child.ended, late.ended]).toEqual([true, true])
  })
})

it('killAllChildren ends every one that lives', async () => {
  const children = await Promise.all([start('exec sleep 600'), start('exec sleep 600')])
  killAllChildren()
  for (const child of children) expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' })
})

describe('why one ended', () => {
  const ended = { code: 1, signal: null }

  it.each<[string, string, ChildExit, string, string]>([
    [
      'a full disk, in the words of PostgreSQL',
      'PANIC:  could not write to file "x": No space left on device\nLOG:  shut down\n',
      ended,
      'KPI_DISK_FULL',
      'postgres stopped, its disk is full: free some space (PANIC:  could not write to file "x": No space left on device)',
    ],
    [
      'a full disk, even when it was killed for it',
      'java.io.IOException: No space left on device\n',
      { code: null, signal: 'SIGKILL' },
      'KPI_DISK_FULL',
      'postgres stopped, its disk is full: free some space (java.io.IOException: No space left on device)',
    ],
    [
      'a full disk, in the words of Java',
      'java.lang.InternalError: a fault occurred in a recent unsafe memory access operation in compiled Java code\n',
      ended,
      'KPI_DISK_FULL',
      'postgres stopped, its disk is full: free some space (java.lang.InternalError: a fault occurred in a recent unsafe memory access operation in compiled Java code)',
    ],
    [
      'a taken port, in the words of PostgreSQL',
      'LOG:  could not bind IPv4 address "127.0.0.1": Address already in use\nFATAL:  could not create any TCP/IP sockets\n',
      ended,
      'KPI_PORT_BUSY',
      'postgres could not take its port: LOG:  could not bind IPv4 address "127.0.0.1": Address already in use',
    ],
    [
      'a taken port, in the words of Kafka',
      'KafkaException: Socket server failed to bind to 127.0.0.1:9092: Address already in use.\n',
      ended,
      'KPI_PORT_BUSY',
      'postgres could not take its port: KafkaException: Socket server failed to bind to 127.0.0.1:9092: Address already in use.',
    ],
    [
      'a taken port, in our own words',
      'port 9464 is taken: name a free one, or 0 for any\n',
      ended,
      'KPI_PORT_BUSY',
      'postgres could not take its port: port 9464 is taken: name a free one, or 0 for any',
    ],
    ['its last words', 'FATAL:  no\n', ended, 'KPI_CHILD_FAILED', 'postgres ended with code 1: FATAL:  no'],
    ['nothing said', '', ended, 'KPI_CHILD_FAILED', 'postgres ended with code 1'],
    ['a signal', '', { code: null, signal: 'SIGSEGV' }, 'KPI_CHILD_FAILED', 'postgres was ended by SIGSEGV'],
    [
      'kill -9, which leaves no last words',
      'LOG:  checkpoint starting\n',
      { code: null, signal: 'SIGKILL' },
      'KPI_CHILD_FAILED',
      'postgres was killed (SIGKILL)',
    ],
  ])('%s', (_, output, exit, code, message) => {
    const tail = new LineTail()
    tail.push(Buffer.from(output))
    expect(failureOf('postgres', exit, tail)).toMatchObject({ code, message })
  })
})
