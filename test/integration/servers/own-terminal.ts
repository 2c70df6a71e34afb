import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { assert } from '../../../src/errors.ts'
import { childrenOf } from '../../chaos/faults/processes-of.ts'
import { marketKpiCommand } from '../scenes/processes.ts'
import { until } from '../scenes/until.ts'

const living = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL')
})

/** A command on a terminal of its own, 80×24. */
export interface TerminalRun {
  /** All that the terminal was sent so far, escape sequences included. */
  shown(): string
  type(keys: string): void
  /** Signals the command, not the terminal. */
  signal(name: NodeJS.Signals): Promise<void>
  /** SIGTSTP, and it has stopped. */
  stop(): Promise<void>
  /** As a shell's `fg`. */
  goOn(): Promise<void>
  readonly exited: Promise<number | null>
}

/** `market-kpi ARGS` under `script` of util-linux, which is the terminal. */
export function onTerminal(args: readonly string[], env: Record<string, string>): TerminalRun {
  const command = marketKpiCommand(...args).map((word) => `'${word}'`)
  const line = `stty cols 80 rows 24; exec ${command.join(' ')}`
  const child = spawn('script', ['-qefc', line, '/dev/null'], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  living.add(child)
  let shown = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text
  })
  const exited = new Promise<number | null>((resolve) => {
    child.once('close', (code) => {
      living.delete(child)
      resolve(code)
    })
  })
  const commandPid = async () => {
    const look = () => childrenOf(child.pid ?? -1)
    const [pid] = await until('the command', look, (pids) => pids.length > 0)
    assert(pid, 'a command has a pid')
    return pid
  }
  const signal = async (name: NodeJS.Signals) => {
    process.kill(await commandPid(), name)
  }
  return {
    shown: () => shown,
    type: (keys) => child.stdin.write(keys),
    signal,
    stop: async () => {
      const pid = await commandPid()
      process.kill(pid, 'SIGTSTP')
      await until(
        'stopped',
        () => stateOf(pid),
        (state) => state === 'T',
      )
    },
    goOn: async () => {
      // `script` stops with what runs in it.
      child.kill('SIGCONT')
      await signal('SIGCONT')
    },
    exited,
  }
}

/** `R`, `S`, `T`, …: proc_pid_stat(5). */
function stateOf(pid: number): string | undefined {
  return /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]
}
