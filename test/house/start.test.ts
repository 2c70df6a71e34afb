// The way into the program: `npm start` and the `market-kpi` launcher, with a program in place of market-kpi's own that
// notes what reaches it.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

const root = join(import.meta.dirname, '..', '..')

/** Notes its pid and arguments, then each signal; ends with 0 well after the first, at once with 9 at a second. */
const program = `
import { appendFileSync } from 'node:fs'
const note = (line) => appendFileSync('notes', line + '\\n')
let stopping = false
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {
  note(signal)
  if (stopping) process.exit(9)
  stopping = true
  setTimeout(() => { note('clean'); process.exit(Number(process.env.ENDS_WITH ?? 0)) }, 600)
})
setInterval(() => {}, 1000)
note([process.pid, process.version, ...process.argv.slice(2)].join(' '))
`

let clone: string
const started: ChildProcess[] = []

beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'market-kpi-start-'))
  for (const part of ['bin', 'generated', 'scripts', 'package.json', 'package-lock.json']) {
    cpSync(join(root, part), join(clone, part), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'))
  mkdirSync(join(clone, 'src', 'cli'), { recursive: true })
  writeFileSync(join(clone, 'src', 'cli', 'main.ts'), program)
})

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
  const pid = notedPid()
  if (pid !== undefined && isAlive(pid)) process.kill(pid, 'SIGKILL')
  rmSync(clone, { recursive: true, force: true })
})

/** Whole lines: the file is there a moment before its first one. */
function notes(): string[] {
  const file = join(clone, 'notes')
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []
}

function notedPid(): number | undefined {
  const pid = Number(notes()[0]?.split(' ')[0])
  return pid > 0 ? pid : undefined
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Starts it in a process group of its own, as a shell does, and waits until the program runs. */
async function start(command: string, args: string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(command, args, { cwd: clone, env: { ...process.env, ...env }, detached: true, stdio: 'ignore' })
  started.push(child)
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  await vi.waitUntil(() => notes().length > 0, { timeout: 30_000, interval: 20 })
  const { pid } = child
  if (pid === undefined) throw new Error(`${command} did not start`)
  return { pid, ended, program: notedPid() ?? 0 }
}

const npmStart = ['start', '--', '--feed', 'none', '--workers', '2']

describe('npm start', () => {
  it('runs `up` with its arguments, on the pinned Node', async () => {
    const { pid, ended } = await start('npm', npmStart)
    expect(notes()[0]?.replace(/^\d+ /, '')).toBe('v24.21.0 up --feed none --workers 2')
    process.kill(pid, 'SIGTERM')
    await ended
  })

  it('hands one Ctrl-C down once, though terminal and npm both tell it, and ends with 0', async () => {
    const { pid, ended, program } = await start('npm', npmStart)
    process.kill(-pid, 'SIGINT')
    expect(await ended).toBe(0)
    expect(notes().slice(1)).toEqual(['SIGINT', 'clean'])
    expect(isAlive(program)).toBe(false)
  })

  it('ends cleanly when npm alone is told to', async () => {
    const { pid, ended, program } = await start('npm', npmStart)
    process.kill(pid, 'SIGTERM')
    expect(await ended).toBe(0)
    expect(notes().slice(1)).toEqual(['SIGTERM', 'clean'])
    expect(isAlive(program)).toBe(false)
  })

  it('stops the program when npm is killed', async () => {
    const { pid, program } = await start('npm', npmStart)
    process.kill(pid, 'SIGKILL')
    await vi.waitUntil(() => !isAlive(program), { timeout: 10_000 })
    expect(notes().slice(1)).toEqual(['SIGTERM', 'clean'])
  })

  it('ends with what the program ends with', async () => {
    const { pid, ended } = await start('npm', npmStart, { ENDS_WITH: '3' })
    process.kill(pid, 'SIGTERM')
    expect(await ended).toBe(3)
  })

  it('says in one line that Java is missing', () => {
    const env = { ...process.env, JAVA_HOME: join(clone, 'nowhere'), KAFKA_BOOTSTRAP_SERVERS: '' }
    const { status, stderr } = spawnSync(process.execPath, ['scripts/run.mjs', 'start'], {
      cwd: clone,
      env,
      encoding: 'utf8',
    })
    expect(stderr).toMatch(/^start: the Kafka broker needs Java 17 or newer, '.*' does not run: install one .*\n$/)
    expect(status).toBe(1)
  })

  it('says in one line that the registry cannot be reached', () => {
    rmSync(join(clone, 'node_modules'))
    const registry = { npm_config_registry: 'http://127.0.0.1:9/', npm_config_cache: join(clone, 'cache') }
    const env = { ...process.env, ...registry, KAFKA_BOOTSTRAP_SERVERS: '127.0.0.1:9092' }
    const { status, stderr } = spawnSync(process.execPath, ['scripts/run.mjs', 'start'], {
      cwd: clone,
      env,
      encoding: 'utf8',
    })
    const lines = stderr.trimEnd().split('\n')
    expect(lines.at(-1)).toBe(
      "start: npm cannot reach its registry (ECONNREFUSED): check the network, or the proxy in 'npm config list', and try again",
    )
    expect(lines.slice(0, -1).filter((line) => !/^start: installing/.test(line))).toEqual([])
    expect(status).toBe(1)
    expect(existsSync(join(clone, '.npm-ci.lock'))).toBe(false)
  })

  it('takes over the install of a start that died', () => {
    rmSync(join(clone, 'node_modules'))
    const dead = spawnSync(process.execPath, ['-e', '']).pid
    writeFileSync(join(clone, '.npm-ci.lock'), `${dead}\n`)
    const registry = { npm_config_registry: 'http://127.0.0.1:9/', npm_config_cache: join(clone, 'cache') }
    const env = { ...process.env, ...registry, KAFKA_BOOTSTRAP_SERVERS: '127.0.0.1:9092' }
    const { stderr } = spawnSync(process.execPath, ['scripts/run.mjs', 'start'], { cwd: clone, env, encoding: 'utf8' })
    expect(stderr).toContain('npm cannot reach its registry')
  })

  it('waits while another start installs', async () => {
    rmSync(join(clone, 'node_modules'))
    writeFileSync(join(clone, '.npm-ci.lock'), `${process.pid}\n`)
    const env = { ...process.env, KAFKA_BOOTSTRAP_SERVERS: '127.0.0.1:9092' }
    const waiting = spawn(process.execPath, ['scripts/run.mjs', 'start'], {
      cwd: clone,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    started.push(waiting)
    let said = ''
    waiting.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    await vi.waitUntil(() => said.includes('waiting for it'), { timeout: 20_000 })
    symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'))
    rmSync(join(clone, '.npm-ci.lock'))
    await vi.waitUntil(() => notes().length > 0, { timeout: 20_000 })
    expect(said).toBe(`start: another start (pid ${process.pid}) is installing: waiting for it\n`)
    const ended = new Promise((resolve) => waiting.once('exit', resolve))
    waiting.kill('SIGTERM')
    expect(await ended).toBe(0)
  })
})

describe('the launcher', () => {
  /** Makes the Node that runs the launcher look old; the Node that the launcher then starts is not affected. */
  const pretendOld = [
    '--import',
    'data:text/javascript,Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.2" } })',
  ]

  it('runs on the pinned Node when its own is too old', async () => {
    const { pid, ended, program } = await start(process.execPath, [...pretendOld, 'bin/market-kpi.js', 'consume'])
    expect(program).not.toBe(pid)
    expect(notes()[0]?.replace(/^\d+ /, '')).toBe('v24.21.0 consume')
    process.kill(-pid, 'SIGINT')
    expect(await ended).toBe(0)
    expect(notes().slice(1)).toEqual(['SIGINT', 'clean'])
  })

  it('says in one line that Node is too old when there is no other', () => {
    rmSync(join(clone, 'node_modules'))
    const args = [...pretendOld, 'bin/market-kpi.js', 'consume']
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: clone, encoding: 'utf8' })
    expect(stderr).toBe('market-kpi: needs Node 24.6 or newer, this is 20.20.2: run `npm ci` here, which brings one\n')
    expect(status).toBe(1)
  })

  it('says in one line that an installation is incomplete', () => {
    rmSync(join(clone, 'src'), { recursive: true })
    const { status, stderr } = spawnSync(process.execPath, ['bin/market-kpi.js'], { cwd: clone, encoding: 'utf8' })
    expect(stderr).toMatch(/^market-kpi: this installation is incomplete: there is no .*main\.js; install it again\n$/)
    expect(status).toBe(1)
  })
})
