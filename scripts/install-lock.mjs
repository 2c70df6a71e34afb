// @ts-check
// Of several starts in one clone, one installs. The lock is a file with its holder's pid; a holder that has died, died
// without the lock counting any longer.
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { Problem } from './problem.mjs'

const pollMs = 200
/** Longer than the slowest install seen over a bad line. */
const patienceMs = 15 * 60_000

/**
 * @param {string} path
 * @param {(line: string) => void} tell
 * @returns {Promise<() => void>} Gives the lock back.
 */
export async function takeLock(path, tell) {
  const startedAtMs = performance.now()
  let told = false
  for (;;) {
    if (create(path)) return () => rmSync(path, { force: true })
    const holder = holderOf(path)
    if (holder !== undefined && !isAlive(holder) && removeStale(path, holder)) continue
    if (performance.now() - startedAtMs > patienceMs) {
      throw new Problem(`another start (pid ${holder}) has been installing for 15 minutes: end it, or remove ${path}*`)
    }
    if (!told) tell(`another start (pid ${holder ?? '?'}) is installing: waiting for it`)
    told = true
    await pause(pollMs)
  }
}

/**
 * Appears with its content at once: a half-written lock would read as nobody's.
 *
 * @param {string} path
 */
function create(path) {
  const own = `${path}.${process.pid}`
  try {
    writeFileSync(own, `${process.pid}\n`)
    linkSync(own, path)
    return true
  } catch (error) {
    const code = /** @type {NodeJS.ErrnoException} */ (error).code
    if (code === 'EEXIST') return false
    throw new Problem(`cannot write ${path} (${code}): give this user the folder`)
  } finally {
    rmSync(own, { force: true })
  }
}

/** @param {string} path */
function holderOf(path) {
  try {
    const pid = Number(readFileSync(path, 'utf8'))
    return Number.isInteger(pid) && pid > 0 ? pid : undefined
  } catch {
    return undefined
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM'
  }
}

/**
 * Two may see the same dead holder, and the slower must not take away the lock that the faster has taken since: only who
 * has the claim on that holder's lock removes it, and looks again first.
 *
 * @param {string} path
 * @param {number} deadHolder
 * @returns {boolean} False when somebody else is at it.
 */
function removeStale(path, deadHolder) {
  const claim = `${path}.stale-${deadHolder}`
  if (!create(claim)) return false
  try {
    if (holderOf(path) === deadHolder) rmSync(path, { force: true })
    return true
  } finally {
    rmSync(claim, { force: true })
  }
}
