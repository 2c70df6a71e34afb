import { existsSync, mkdirSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { KpiError, messageOf } from '../errors.ts'

export const defaultDataDir = '.market-kpi'

/**
 * An empty PostgreSQL cluster needs 40 MB, and Kafka's first segments and indexes need as much. The rest is reserve.
 */
const minimumFreeBytes = 256 * 1024 * 1024
const probeBytes = 64 * 1024

/**
 * Creates the data directory if it is missing, and checks that it can be used.
 *
 * @returns Its absolute path.
 * @throws KpiError `KPI_DATA_DIR_UNUSABLE`, `KPI_DISK_FULL`.
 */
export function openDataDir(path: string): string {
  const directory = resolve(path)
  const probe = join(directory, `.probe-${process.pid}`)
  try {
    makeDirectory(directory)
    writeFileSync(probe, Buffer.alloc(probeBytes))
  } catch (error) {
    throw storageError(directory, error)
  } finally {
    removeQuietly(probe)
  }
  refuseAnothers(directory)
  const { bavail, bsize } = statfsSync(directory)
  const freeBytes = bavail * bsize
  if (freeBytes < minimumFreeBytes) {
    throw new KpiError(
      'KPI_DISK_FULL',
      `the disk of the data directory ${directory} is full: ${inMegabytes(freeBytes)} are free, ${inMegabytes(minimumFreeBytes)} are needed; free some space or name another --data-dir`,
    )
  }
  return directory
}

/**
 * Refuses to run as root in the data directory of another user. That user could not read the files that root writes,
 * and PostgreSQL would not start.
 */
function refuseAnothers(directory: string): void {
  const owner = statSync(join(directory, 'secrets.json'), { throwIfNoEntry: false })?.uid
  if (process.getuid?.() !== 0 || owner === undefined || owner === 0) return
  throw new KpiError(
    'KPI_DATA_DIR_UNUSABLE',
    `the data directory ${directory} belongs to another user (uid ${owner}): run as that one, or name another with --data-dir`,
  )
}

/**
 * Creates the folder and its parents. Node's `recursive` option is not used: it never returns if a parent exists but
 * cannot contain folders, such as a dangling link or /proc.
 */
function makeDirectory(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return
  const parent = dirname(path)
  if (parent !== path && !existsSync(parent)) makeDirectory(parent)
  try {
    // Other users may enter the folder but not list it. The account that PostgreSQL runs as under root must be able
    // to enter.
    mkdirSync(path, { mode: 0o711 })
  } catch (error) {
    // Another process may create the same folder at the same time.
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error
  }
}

/** Converts a file-system error in the data directory to a KpiError. Other errors are returned unchanged. */
export function storageError(directory: string, error: unknown): unknown {
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException
  if (code === undefined || syscall === undefined) return error
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new KpiError(
      'KPI_DISK_FULL',
      `the disk of the data directory ${directory} is full: free some space or name another --data-dir`,
      { cause: error },
    )
  }
  const why = /^[A-Z]+: [^,]*/.exec(messageOf(error))?.[0] ?? messageOf(error)
  return new KpiError(
    'KPI_DATA_DIR_UNUSABLE',
    `the data directory ${directory} cannot be written (${why}): name another with --data-dir`,
    { cause: error },
  )
}

function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    // If it could not be written, there is nothing to remove.
  }
}

function inMegabytes(bytes: number): string {
  return `${Math.floor(bytes / (1024 * 1024))} MB`
}
