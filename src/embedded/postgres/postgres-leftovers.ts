import { readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from '../../log.ts'
import { identify, isRunning, type ProcessIdentity, signalProcess, waitForEnd } from '../../process/process-identity.ts'

const fastShutdownMs = 8000
const backendsEndMs = 5000

/**
 * Ends the remaining processes of a server that was killed. Its backends live until they notice that the server is
 * gone, and until then PostgreSQL refuses to start again. Only processes that work in this data directory are ended:
 * it is the current directory of each PostgreSQL process, which Linux shows. On other systems, the start is simply
 * retried.
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
  // Another process may have this pid by now, and PostgreSQL would take it for a running server.
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

/** The program is checked too, because a shell with this current directory is not a server. */
function worksIn(entry: string, folder: string): boolean {
  try {
    if (readlinkSync(`/proc/${entry}/cwd`) !== folder) return false
    return readFileSync(`/proc/${entry}/comm`, 'utf8').trim() === 'postgres'
  } catch {
    return false
  }
}
