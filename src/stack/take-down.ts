import { rmSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { KpiError } from '../errors.ts'
import type { Logger } from '../log.ts'
import { takeDownOrphans } from '../process/orphans.ts'
import { signalProcess, waitForEnd } from '../process/process-identity.ts'
import { RunRecords } from '../process/run-records.ts'
import { wholeStopDeadlineMs } from '../process/stop-order.ts'
import { storageError } from './data-dir.ts'
import { removeEndpoints } from './endpoints.ts'
import { takeUpLock, upLockOwner } from './up-lock.ts'

/** A little more than the longest time that `up` needs to stop. */
const patienceMs = wholeStopDeadlineMs + 3000

/**
 * Stops the stack of a data directory: `up` itself if it runs, otherwise the processes that it left behind.
 *
 * @returns One line about what was done.
 * @throws KpiError `KPI_CHILD_FAILED` if `up` does not end.
 */
export async function takeDown(options: { dataDir: string; log: Logger }): Promise<string> {
  const dataDir = resolve(options.dataDir)
  if (!statSync(dataDir, { throwIfNoEntry: false })?.isDirectory()) return nothingRuns(dataDir)
  try {
    return await takeDownIn(dataDir, options.log)
  } catch (error) {
    throw storageError(dataDir, error)
  }
}

async function takeDownIn(dataDir: string, log: Logger): Promise<string> {
  const owner = upLockOwner(dataDir)
  if (owner) {
    log.info(`stopping 'market-kpi up' (pid ${owner.pid})`)
    signalProcess(owner, 'SIGTERM')
    if (await waitForEnd(owner, patienceMs)) return `stopped the stack in ${dataDir} (pid ${owner.pid})`
    throw new KpiError(
      'KPI_CHILD_FAILED',
      `'market-kpi up' (pid ${owner.pid}) did not end within ${patienceMs / 1000} s: end it with 'kill -9 ${owner.pid}', then run 'market-kpi down' again`,
    )
  }
  const lock = takeUpLock(dataDir)
  try {
    const ended = await takeDownOrphans(new RunRecords(dataDir), log)
    removeEndpoints(dataDir)
    rmSync(join(dataDir, 'run'), { recursive: true, force: true })
    if (ended.length === 0) return nothingRuns(dataDir)
    return `'market-kpi up' was gone already; stopped what it left behind in ${dataDir}: ${ended.join(', ')}`
  } finally {
    lock.release()
  }
}

function nothingRuns(dataDir: string): string {
  return `nothing runs in ${dataDir}`
}
