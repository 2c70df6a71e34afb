import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..', '..')
const living = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL')
})

/** A program of the project's as a process, killed with the tests if it still lives then. */
export interface Run {
  readonly child: ChildProcess
  readonly pid: number
  /** What it printed so far. */
  stdout(): string
  stderr(): string
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

export function runScript(file: string, args: readonly string[], env: Record<string, string>): Run {
  return runProgram([process.execPath, join(root, file), ...args], env)
}

/** @param cwd - @defaultValue the project's own folder */
export function runProgram(
  [program, ...args]: readonly [string, ...string[]],
  env: Record<string, string>,
  cwd = root,
): Run {
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  living.add(child)
  const printed = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      printed[name] += text
    })
  }
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => {
      living.delete(child)
      resolve({ code, signal })
    })
  })
  return { child, pid: child.pid ?? -1, stdout: () => printed.stdout, stderr: () => printed.stderr, exited }
}

/** `market-kpi ARGS`. */
export function marketKpi(args: readonly string[], env: Record<string, string> = {}, cwd?: string): Run {
  return runProgram(marketKpiCommand(...args), env, cwd)
}

/** Its command line, to be run by another program. */
export function marketKpiCommand(...args: string[]): readonly [string, ...string[]] {
  return [process.execPath, join(root, 'bin', 'market-kpi.js'), ...args]
}

/** Asks a child process to end, and waits until it has. */
export async function endChild(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}
