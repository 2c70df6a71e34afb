import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { pause } from '../runtime/abort.ts'

/**
 * Which process a pid means. A pid alone names nobody: after the process ends the system gives its number to a stranger.
 * Together with the start time (and the boot, since start times count from it) it is unique.
 */
export interface ProcessIdentity {
  readonly pid: number
  /** Opaque; equal for equal processes. */
  readonly startedAs: string
}

/** The identity of a live process; undefined when there is none (a zombie has ended and does not count). */
export function identify(pid: number): ProcessIdentity | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined
  const startedAs = process.platform === 'linux' ? startOnLinux(pid) : startByPs(pid)
  return startedAs === undefined ? undefined : { pid, startedAs }
}

/** Whether exactly this process still runs. */
export function isRunning(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startedAs === identity.startedAs
}

/** Sends a signal to exactly this process. @returns whether it was there to receive it. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isRunning(identity)) return false
  try {
    return process.kill(identity.pid, signal)
  } catch {
    return false
  }
}

const pollIntervalMs = 20

/** Waits until the process has ended. @returns whether it has, within the deadline. */
export async function waitForEnd(identity: ProcessIdentity, deadlineMs: number): Promise<boolean> {
  const until = performance.now() + deadlineMs
  while (isRunning(identity)) {
    if (performance.now() >= until) return false
    // It may not be our child: no event reports its end.
    await pause(pollIntervalMs)
  }
  return true
}

function startOnLinux(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name, in parentheses, may itself hold blanks and parentheses: count the fields from behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const state = fields[0]
    const startTicks = fields[19]
    if (startTicks === undefined || state === 'Z' || state === 'X') return undefined
    return `${bootId()}/${startTicks}`
  } catch {
    return undefined
  }
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}

function startByPs(pid: number): string | undefined {
  try {
    const told = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: psEnvironment,
    })
    const [state, ...started] = told.trim().split(/\s+/)
    return state === undefined || state.startsWith('Z') ? undefined : started.join(' ')
  } catch {
    return undefined
  }
}

/** The words of `ps` must not depend on who asks. */
const psEnvironment = { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' }
