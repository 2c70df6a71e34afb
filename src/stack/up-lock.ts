import { createHash } from 'node:crypto'
import { linkSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { assert, KpiError } from '../errors.ts'
import { identify, isRunning, type ProcessIdentity } from '../process/process-identity.ts'
import { readIfPresent } from './read-if-present.ts'

/**
 * DIR/up.lock names the process that owns the data directory. It is created atomically (as a hard link to a finished
 * file), and the lock of a process that has ended is taken over.
 */
export interface UpLock {
  release(): void
}

/** @throws KpiError `KPI_DATA_DIR_IN_USE` with the owner. */
export function takeUpLock(dataDir: string): UpLock {
  const path = join(dataDir, 'up.lock')
  const own = identify(process.pid)
  assert(own, 'this process has an identity')
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify(own)}\n`, { mode: 0o600 })
  try {
    const owner = takeLock(path, draft)
    if (owner) throw inUse(dataDir, owner.pid)
    return { release: () => releaseLock(path, own) }
  } finally {
    rmSync(draft, { force: true })
  }
}

/** The running owner of the data directory. */
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

/**
 * Takes the lock, or the lock of an owner that has ended.
 *
 * Two processes may find the same dead owner. The slower one must not remove the lock that the faster one has taken
 * since. Therefore only the process that holds the claim on the old owner's lock may remove it, after checking again
 * that it is still the old one. A claim is itself a lock, so the claim of a killed process is taken over in the same
 * way.
 *
 * @returns The running process that has the lock or is taking it; undefined if this process has the lock now.
 */
function takeLock(path: string, draft: string): ProcessIdentity | undefined {
  while (!tryLink(draft, path)) {
    const held = readIfPresent(path)
    if (held === undefined) continue
    const owner = identityIn(held)
    if (owner && isRunning(owner)) return owner
    const claim = `${path}.stale-${shortHash(held)}`
    const other = takeLock(claim, draft)
    if (other) return other
    if (readIfPresent(path) === held) rmSync(path, { force: true })
    rmSync(claim, { force: true })
  }
  return undefined
}

/** Short enough for a file name. */
function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
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

function releaseLock(path: string, own: ProcessIdentity): void {
  const owner = readLock(path)
  if (owner?.pid === own.pid && owner.startedAs === own.startedAs) rmSync(path, { force: true })
}

function readLock(path: string): ProcessIdentity | undefined {
  return identityIn(readIfPresent(path) ?? '')
}

/** Undefined if the lock cannot be read, for example because power was lost while it was written. */
function identityIn(text: string): ProcessIdentity | undefined {
  try {
    const { pid, startedAs } = JSON.parse(text) as Partial<ProcessIdentity>
    return typeof pid === 'number' && typeof startedAs === 'string' ? { pid, startedAs } : undefined
  } catch {
    return undefined
  }
}
