import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { pause } from '../runtime/abort.ts'

/**
 * Identifies the process behind a pid. A pid alone is not enough: after the process has ended, the system reuses its
 * number. Together with the start time (and the boot id, since start times count from the boot) it is unique.
 */
export interface ProcessIdentity {
  readonly pid: number
  /** Opaque; equal for the same process. */
  readonly startedAs: string
}

/** The identity of a live process; undefined when there is none (a zombie counts as ended). */
export function identify(pid: number): ProcessIdentity | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined
  const startedAs = process.platform === 'linux' ? startOnLinux(pid) : startByPs(pid)
  return startedAs === undefined ? undefined : { pid, startedAs }
}

/** Whether exactly this process is still running. */
export function isRunning(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startedAs === identity.startedAs
}

/** Sends a signal to exactly this process. @returns whether the process still existed. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isRunning(identity)) return false
  try {
    return process.kill(identity.pid, signal)
  } catch {
    return false
  }
}

const pollIntervalMs = 20

/** Waits until the process has ended. @returns whether it ended within the deadline. */
export async function waitForEnd(identity: ProcessIdentity, deadlineMs: number): Promise<boolean> {
  const until = performance.now() + deadlineMs
  while (isRunning(identity)) {
    if (performance.now() >= until) return false
    // The process may not be a child of this one, so no event reports its end.
    await pause(pollIntervalMs)
  }
  return true
}

function startOnLinux(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The process name, in parentheses, may contain spaces and parentheses: the fields are counted from behind it.
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

/** The output of `ps` must not depend on the user's locale and time zone. */
const psEnvironment = { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' }
