import { type ChildProcess, spawn } from 'node:child_process'
import { processFigures } from '../../src/bench/cpu.ts'
import { LineTail } from '../../src/process/line-tail.ts'

/** What a contender tells at its end, and what the system says of its process then. */
export interface PeerRun {
  readonly messages: number
  /** From the first message in its hands to its last commit. */
  readonly seconds: number
  /** From the start of its process to the first message. */
  readonly startSeconds: number
  /** Of the whole process, its start included. */
  readonly cpuSeconds: number
  readonly peakMemoryMb: number
}

interface Told {
  readonly firstAtMs: number
  readonly lastAtMs: number
  readonly messages: number
}

/** Why a contender came to no result, in one line. */
export class PeerProblem extends Error {}

const running = new Set<ChildProcess>()

/** For the end of this process, whatever brought it about. */
export function killPeers(): void {
  for (const child of running) child.kill('SIGKILL')
}

/**
 * Runs a contender until it has told its result. It waits then until its stdin ends, so that its process can be looked at.
 *
 * @throws PeerProblem when it ends, or its time does, before that.
 */
export async function runPeer(options: {
  command: readonly string[]
  env: Record<string, string>
  timeoutMs: number
}): Promise<PeerRun> {
  const [program = '', ...args] = options.command
  const startedAtMs = Date.now()
  const child = spawn(program, args, { env: { ...process.env, ...options.env }, stdio: ['pipe', 'pipe', 'pipe'] })
  running.add(child)
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs)
  const tail = new LineTail()
  const told = Promise.withResolvers<Told>()
  // Told to whoever awaits it, which may be a little later.
  told.promise.catch(() => undefined)
  child.stderr.on('data', (chunk: Buffer) => tail.push(chunk))
  child.stdin.on('error', () => undefined)
  const output = new LineTail()
  child.stdout.on('data', (chunk: Buffer) => {
    const result = output.push(chunk).find((line) => line.startsWith('{'))
    if (result !== undefined) told.resolve(JSON.parse(result) as Told)
  })
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      told.reject(new PeerProblem(error.message))
      resolve()
    })
    child.once('close', (code, signal) => {
      told.reject(new PeerProblem(`ended with ${signal ?? code}: ${tail.lastMeaningful() ?? 'without a word'}`))
      resolve()
    })
  })
  try {
    const { firstAtMs, lastAtMs, messages } = await told.promise
    const figures = processFigures(child.pid ?? 0)
    return {
      messages,
      seconds: (lastAtMs - firstAtMs) / 1000,
      startSeconds: (firstAtMs - startedAtMs) / 1000,
      ...figures,
    }
  } finally {
    child.stdin.end()
    await ended
    clearTimeout(timer)
    running.delete(child)
  }
}
