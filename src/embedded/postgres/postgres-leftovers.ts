import { readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from '../../log.ts'
import { identify, isRunning, type ProcessIdentity, signalProcess, waitForEnd } from '../../process/process-identity.ts'

const fastShutdownMs = 8000
const backendsEndMs = 5000

/**
 * Clears the way for a new server after the old one was killed: its backends live on until they notice, and while they
 * do, PostgreSQL refuses to start. Only processes that work in this very data directory are touched; each PostgreSQL
 * process has it as its current directory, which Linux shows. Elsewhere the start is simply tried again.
 */
export async function clearLeftovers(storage: string, log: Logger): Promise<void> {
  if (process.platform !== 'linux') return
  const real = realpathSync(storage)
  const postmaster = postmasterOf(storage)
  const left = processesIn(real)
  const first = left.find(({ pid }) => pid === postmaster)
  if (first) {
    log.warn(`a PostgreSQL server (pid ${first.pid}) was left behind in ${storage}: shutting it down`)
    signalProcess(first, 'SIGINT')
    if (!(await waitForEnd(first, fastShutdownMs))) signalProcess(first, 'SIGKILL')
  }
  await waitForAll(left, backendsEndMs)
  for (const process of processesIn(real)) signalProcess(process, 'SIGKILL')
  await waitForAll(processesIn(real), backendsEndMs)
  // Its pid may be a stranger's by now, which PostgreSQL would take for a running server.
  if (postmaster !== undefined && identify(postmaster)) rmSync(join(storage, 'postmaster.pid'), { force: true })
}

async function waitForAll(processes: readonly ProcessIdentity[], deadlineMs: number): Promise<void> {
  await Promise.all(processes.filter(isRunning).map((one) => waitForEnd(one, deadlineMs)))
}

function postmasterOf(storage: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(storage, 'postmaster.pid'), 'utf8').split('\n')[0])
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined
  } catch {
    return undefined
  }
}

function processesIn(folder: string): ProcessIdentity[] {
  const found: ProcessIdentity[] = []
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid || !worksIn(entry, folder)) continue
    const identity = identify(Number(entry))
    if (identity) found.push(identity)
  }
  return found
}

/** A shell whose user merely stands in the folder is no server: the program counts too. */
function worksIn(entry: string, folder: string): boolean {
  try {
    if (readlinkSync(`/proc/${entry}/cwd`) !== folder) return false
    return readFileSync(`/proc/${entry}/comm`, 'utf8').trim() === 'postgres'
  } catch {
    return false
  }
}
