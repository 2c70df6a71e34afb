import { existsSync, mkdirSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { KpiError, messageOf } from '../errors.ts'

export const defaultDataDir = '.market-kpi'

/** An empty PostgreSQL cluster takes 40 MB, Kafka's first segments and indexes as much; the rest is room to breathe. */
const minimumFreeBytes = 256 * 1024 * 1024
const probeBytes = 64 * 1024

/**
 * Makes the data directory where it is missing and tries whether it can be used.
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

/** Root may write anywhere, but what it wrote here its owner could not read any more, and PostgreSQL would not start. */
function refuseAnothers(directory: string): void {
  const owner = statSync(join(directory, 'secrets.json'), { throwIfNoEntry: false })?.uid
  if (process.getuid?.() !== 0 || owner === undefined || owner === 0) return
  throw new KpiError(
    'KPI_DATA_DIR_UNUSABLE',
    `the data directory ${directory} belongs to another user (uid ${owner}): run as that one, or name another with --data-dir`,
  )
}

/**
 * With its parents. Not by `recursive`: Node's never returns where a parent is there but takes no folders, as a link
 * that leads nowhere or /proc.
 */
function makeDirectory(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return
  const parent = dirname(path)
  if (parent !== path && !existsSync(parent)) makeDirectory(parent)
  try {
    // Others may pass through, as the account that PostgreSQL runs as under root must, but not look around.
    mkdirSync(path, { mode: 0o711 })
  } catch (error) {
    // Another process may make the same one at the same time.
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error
  }
}

/** What the file system threw while we worked in the data directory, as one of our errors; anything else as it is. */
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
    // Where it could not be written there is nothing to remove.
  }
}

function inMegabytes(bytes: number): string {
  return `${Math.floor(bytes / (1024 * 1024))} MB`
}
