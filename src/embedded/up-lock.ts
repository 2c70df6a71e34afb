import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { assert, KpiError } from '../errors.ts'
import { identify, isRunning, type ProcessIdentity } from './process-identity.ts'

/**
 * DIR/up.lock: which process owns the data directory. It appears whole or not at all (a hard link to a finished file),
 * and one whose process has ended is taken over.
 */
export interface UpLock {
  release(): void
}

const maxAttempts = 20

/** @throws KpiError `KPI_DATA_DIR_IN_USE` naming the owner. */
export function takeUpLock(dataDir: string): UpLock {
  const path = join(dataDir, 'up.lock')
  const own = identify(process.pid)
  assert(own, 'this process has an identity')
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify(own)}\n`, { mode: 0o600 })
  try {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      if (tryLink(draft, path)) return { release: () => releaseLock(path, own) }
      const owner = readLock(path)
      if (owner && isRunning(owner)) throw inUse(dataDir, owner.pid)
      removeStale(path, draft)
    }
    throw new KpiError('KPI_DATA_DIR_IN_USE', `others keep taking ${path} at this moment: try again`)
  } finally {
    rmSync(draft, { force: true })
  }
}

/** The live owner of the data directory. */
export function upLockOwner(dataDir: string): ProcessIdentity | undefined {
  const owner = readLock(join(dataDir, 'up.lock'))
  return owner && isRunning(owner) ? owner : undefined
}

function inUse(dataDir: string, pid: number): KpiError {
  return new KpiError(
    'KPI_DATA_DIR_IN_USE',
    `another 'market-kpi up' (pid ${pid}) runs in ${dataDir}: stop it with 'market-kpi down --data-dir ${dataDir}', or name another --data-dir`,
  )
}

function tryLink(draft: string, path: string): boolean {
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Moves the stale lock aside; when a third process was faster and it is that one's fresh lock, puts it back. */
function removeStale(path: string, draft: string): void {
  const aside = `${draft}.stale`
  try {
    renameSync(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  const moved = readLock(aside)
  if (moved && isRunning(moved)) tryLink(aside, path)
  rmSync(aside, { force: true })
}

function releaseLock(path: string, own: ProcessIdentity): void {
  if (readLock(path)?.pid === own.pid) rmSync(path, { force: true })
}

function readLock(path: string): ProcessIdentity | undefined {
  try {
    const { pid, startedAs } = JSON.parse(readFileSync(path, 'utf8')) as Partial<ProcessIdentity>
    return typeof pid === 'number' && typeof startedAs === 'string' ? { pid, startedAs } : undefined
  } catch {
    return undefined
  }
}
