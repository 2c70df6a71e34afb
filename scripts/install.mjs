// @ts-check
// Brings node_modules up to package-lock.json. Without dependencies, since nothing may be installed yet.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { takeLock } from './install-lock.mjs'
import { Problem } from './problem.mjs'

const fetchSettings = [
  // What was fetched once is not asked for again, and a dead network is told of in seconds, not minutes.
  '--prefer-offline',
  '--fetch-retries=2',
  '--fetch-retry-mintimeout=1000',
  '--fetch-retry-maxtimeout=5000',
  '--no-audit',
  '--no-fund',
  // NODE_ENV=production or the user's own settings would leave these out.
  '--include=dev',
  '--include=optional',
]
const tellEveryMs = 5000
/** On a terminal, where one line changes. */
const screenEveryMs = 500
const networkCodes =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ERR_SOCKET_TIMEOUT|ENOTCACHED|FETCH_ERROR)\b/

/**
 * @typedef {{ version?: string, optional?: boolean, os?: string[], cpu?: string[], libc?: string[] }} LockedPackage
 */

/**
 * The Node of the npm package `node`: everything runs on it, whatever Node started npm.
 *
 * @param {string} root
 */
export function pinnedNode(root) {
  return join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
}

/**
 * Installs when node_modules is not what package-lock.json says. Of several at once, one installs and the others wait.
 *
 * @param {{ root: string, tell: (line: string) => void }} options
 * @throws Problem in one line.
 */
export async function ensureInstalled({ root, tell }) {
  if (missingPackages(root).length === 0) return
  const release = await takeLock(join(root, '.npm-ci.lock'), tell)
  try {
    if (missingPackages(root).length === 0) return
    await cleanInstall(root, tell)
  } finally {
    release()
  }
  const missing = missingPackages(root)
  if (missing.length > 0) {
    throw new Problem(
      `npm ci ended well but left out ${missing.slice(0, 3).join(', ')}: look for ignore-scripts, omit or os in 'npm config list', and try again`,
    )
  }
}

/**
 * What package-lock.json names for this machine and node_modules does not hold, by npm's own note of what it installed.
 *
 * @param {string} root
 * @returns {string[]}
 */
function missingPackages(root) {
  const wanted = readPackages(join(root, 'package-lock.json'))
  if (wanted === undefined) throw new Problem('package-lock.json is missing or not readable: get the project again')
  const present = readPackages(join(root, 'node_modules', '.package-lock.json')) ?? {}
  const missing = Object.entries(wanted)
    .filter(([path, locked]) => path !== '' && isWanted(locked))
    .filter(([path, locked]) => present[path]?.version !== locked.version || !existsSync(join(root, path)))
    .map(([path]) => path.slice('node_modules/'.length))
  // npm notes a package as installed whether its install script ran or not; that script brings the Node.
  if (missing.length === 0 && !existsSync(pinnedNode(root))) missing.push('the pinned Node')
  return missing
}

/**
 * @param {string} path
 * @returns {Record<string, LockedPackage> | undefined}
 */
function readPackages(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages ?? {}
  } catch {
    return undefined
  }
}

/** @param {LockedPackage} locked */
function isWanted({ optional, os, cpu, libc }) {
  if (!optional) return true
  // An optional package that names no system may fail to install, and that is all right.
  if (os === undefined) return false
  return os.includes(process.platform) && (cpu ?? [process.arch]).includes(process.arch) && matchesLibc(libc)
}

/** @param {string[] | undefined} libc */
function matchesLibc(libc) {
  if (libc === undefined || process.platform !== 'linux') return true
  const report = /** @type {{ header?: { glibcVersionRuntime?: string } }} */ (process.report?.getReport() ?? {})
  return libc.includes(report.header?.glibcVersionRuntime === undefined ? 'musl' : 'glibc')
}

/**
 * @param {string} root
 * @param {(line: string) => void} tell
 */
async function cleanInstall(root, tell) {
  const wanted = Object.entries(readPackages(join(root, 'package-lock.json')) ?? {})
    .filter(([path, locked]) => path !== '' && isWanted(locked))
    .map(([path]) => join(root, path))
  const startedAtMs = performance.now()
  const isTerminal = process.stderr.isTTY === true && process.env.TERM !== 'dumb'
  const seconds = () => `${Math.round((performance.now() - startedAtMs) / 1000)} s`
  tell(`installing ${wanted.length} npm packages (once, and after a change of package-lock.json)`)
  const unpacked = () => wanted.filter((path) => existsSync(join(path, 'package.json'))).length
  const meter = setInterval(
    () => {
      const count = unpacked()
      const what = count < wanted.length ? `${count} of ${wanted.length} packages` : 'running install scripts'
      const text = `installing: ${what}, ${seconds()}`
      if (isTerminal) process.stderr.write(`\r${text}\x1b[K`)
      else tell(text)
    },
    isTerminal ? screenEveryMs : tellEveryMs,
  )
  try {
    const { code, output } = await runNpm(root, ['ci', ...fetchSettings])
    if (code !== 0) throw installProblem(output, code)
  } finally {
    clearInterval(meter)
    // What comes next takes the place of the line that changed.
    if (isTerminal) process.stderr.write('\r\x1b[K')
  }
  tell(`installed in ${seconds()}`)
}

/**
 * @param {string} root
 * @param {string[]} args
 * @returns {Promise<{ code: number | null, output: string }>}
 */
function runNpm(root, args) {
  const startedBy = process.env.npm_execpath
  const isNpm = startedBy !== undefined && basename(startedBy) === 'npm-cli.js' && existsSync(startedBy)
  const [file, prefix] = isNpm ? [process.execPath, [startedBy]] : ['npm', []]
  const posix = process.platform !== 'win32'
  return new Promise((resolve, reject) => {
    const npm = spawn(file, [...prefix, ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: !posix && !isNpm,
      env: withoutNpmSettings(),
      // A process group, so that a stop reaches the install scripts too, which npm itself would leave running.
      detached: posix,
    })
    const release = posix ? stopOnSignal(npm) : () => {}
    let output = ''
    for (const stream of [npm.stdout, npm.stderr]) {
      stream.setEncoding('utf8')
      stream.on('data', (text) => {
        output = (output + text).slice(-20_000)
      })
    }
    npm.once('error', () => {
      release()
      reject(new Problem('npm is not in PATH: install it (it comes with Node), and try again'))
    })
    npm.once('close', (code, signal) => {
      release()
      if (signal === null) resolve({ code, output })
      else reject(new Problem('stopped while installing; the next start begins it anew'))
    })
  })
}

/** @param {import('node:child_process').ChildProcess} npm */
function stopOnSignal(npm) {
  const stop = () => {
    if (npm.pid !== undefined) process.kill(-npm.pid, 'SIGKILL')
  }
  /** @type {readonly NodeJS.Signals[]} */
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, stop)
  return () => {
    for (const signal of signals) process.off(signal, stop)
  }
}

/** The npm that started us hands its own settings down; those of its command line (`--ignore-scripts`) are not ours. */
function withoutNpmSettings() {
  const env = { ...process.env }
  for (const name of ['npm_config_ignore_scripts', 'npm_config_omit', 'npm_config_only', 'npm_config_production']) {
    delete env[name]
  }
  return env
}

/**
 * @param {string} output
 * @param {number | null} code
 */
function installProblem(output, code) {
  const network = networkCodes.exec(output)?.[1]
  const first = output
    .split('\n')
    .map((line) => /^npm (?:error|ERR!) (?!code )(.*\S)/.exec(line)?.[1])
    .find((line) => line !== undefined)
  if (network !== undefined) {
    return new Problem(
      `npm cannot reach its registry (${network}): check the network, or the proxy in 'npm config list', and try again`,
    )
  }
  if (/\bENOSPC\b/.test(output)) return new Problem('no space is left on the disk for the npm packages: free some')
  if (/\b(EACCES|EPERM|EROFS)\b/.test(output)) {
    return new Problem(`npm may not write here (${first ?? 'EACCES'}): give this user the folder`)
  }
  return new Problem(`npm ci failed (exit code ${code}): ${first ?? 'it said nothing; run it by hand'}`)
}
