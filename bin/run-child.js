// @ts-check
// Runs the real program in place of this process: the same terminal, the same signals, the same end.
// Plain JavaScript without dependencies: it has to work on a Node that is too old for everything else.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'

/**
 * A Ctrl-C reaches us from the terminal and, as a copy, from npm. Two signals nearer to each other than this are one
 * wish; a later one is the user's impatience and is passed on too.
 */
const sameWishMs = 1000
const parentWatchMs = 500

/** @type {readonly NodeJS.Signals[]} */
const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP']

/**
 * Runs a program, passes each wish to stop to it once, and resolves with its exit code when it has ended (128 + the
 * signal's number when a signal ended it, as shells do).
 *
 * The child leads a process group of its own, so that the terminal cannot reach it past us, and what it starts in turn
 * cannot be hit by a Ctrl-C that is none of its business. When npm, which started us, is gone, the child is told to stop.
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<number>}
 * @throws When the program cannot be started.
 */
export function runChild(file, args, options = {}) {
  return new Promise((resolve, reject) => {
    const posix = process.platform !== 'win32'
    const child = spawn(file, args, { ...options, stdio: 'inherit', detached: posix })
    const release = posix ? passSignals(child) : ignoreSignals()
    child.once('error', (error) => {
      release()
      reject(error)
    })
    child.once('exit', (code, signal) => {
      release()
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0))
    })
  })
}

/** @param {import('node:child_process').ChildProcess} child */
function passSignals(child) {
  let lastAtMs = Number.NEGATIVE_INFINITY
  /** @param {NodeJS.Signals} signal */
  const pass = (signal) => {
    const nowMs = performance.now()
    if (nowMs - lastAtMs <= sameWishMs) return
    lastAtMs = nowMs
    // The terminal went away: there is nobody to hurry us, but everything must still be kept.
    child.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal)
  }
  const resized = () => child.kill('SIGWINCH')
  for (const signal of stopSignals) process.on(signal, pass)
  process.on('SIGWINCH', resized)

  const unwatch = onParentGone(() => pass('SIGTERM'))
  return () => {
    unwatch()
    for (const signal of stopSignals) process.off(signal, pass)
    process.off('SIGWINCH', resized)
  }
}

/**
 * npm runs us under a shell which a signal ends without a word to us, and npm itself may be killed: nobody would stop us
 * then. Watches for that where npm or npx started us; elsewhere a program outlives its parent, as with nohup.
 *
 * @param {() => void} gone - Called at most once.
 * @returns {() => void} Ends the watch.
 */
export function onParentGone(gone) {
  if (process.env.npm_command === undefined) return () => {}
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    gone()
  }, parentWatchMs)
  watch.unref()
  return () => clearInterval(watch)
}

/** On Windows a console tells all its processes itself; we only have to outlive the child. */
function ignoreSignals() {
  const ignore = () => {}
  process.on('SIGINT', ignore)
  return () => {
    process.off('SIGINT', ignore)
  }
}
