// @ts-check
// Starts a Prometheus and an Alertmanager beside a running `up`, until Ctrl-C. Needs the programs of both in PATH.
import { execFileSync, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'

const here = import.meta.dirname
const marketKpi = join(here, '..', '..', 'bin', 'market-kpi.js')
const readyTimeoutMs = 60_000

const { values: options } = parseArgs({
  options: {
    'data-dir': { type: 'string', default: '.market-kpi' },
    'prometheus-port': { type: 'string', default: '9090' },
    'alertmanager-port': { type: 'string', default: '9093' },
    // Configuration, logs and the data of both.
    out: { type: 'string', default: join(here, 'data') },
  },
})
const out = options.out
const prometheusUrl = `http://127.0.0.1:${options['prometheus-port']}`
const alertmanagerUrl = `http://127.0.0.1:${options['alertmanager-port']}`

writeConfiguration(readTargets())
const servers = [
  startServer(['prometheus'], {
    '--config.file': join(out, 'prometheus.yml'),
    '--storage.tsdb.path': join(out, 'prometheus'),
    '--web.listen-address': new URL(prometheusUrl).host,
    // Prometheus sends an alert that fires before it knows Alertmanager a second time after a minute, by default.
    '--rules.alert.resend-delay': '5s',
  }),
  // Debian calls the program by another name.
  startServer(['alertmanager', 'prometheus-alertmanager'], {
    '--config.file': join(out, 'alertmanager.yml'),
    '--storage.path': join(out, 'alertmanager'),
    '--web.listen-address': new URL(alertmanagerUrl).host,
    // One Alertmanager has no others to talk to.
    '--cluster.listen-address': '',
  }),
]
let isStopping = false
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stop)
for (const { name, child } of servers) {
  child.once('exit', () => {
    if (!isStopping) fail(`${name} ended: ${lastLine(name)}`)
  })
}
await Promise.all([untilReady('prometheus', prometheusUrl), untilReady('alertmanager', alertmanagerUrl)])
console.log(`Prometheus    ${prometheusUrl}/alerts`)
console.log(`Alertmanager  ${alertmanagerUrl}`)
console.log('ready: Ctrl-C stops both')

/** The addresses of the running pipeline that have metrics. */
function readTargets() {
  const file = join(options['data-dir'], 'endpoints.json')
  const { alerts, workers, feed } = readJson(file)
  if (alerts === undefined) refuse(`${file} has no alert evaluator yet: try again when the pipeline is ready`)
  return [alerts, ...workers, ...(feed === undefined ? [] : [feed])].map((url) => new URL(url).host)
}

/** @param {string} file */
function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return refuse(`cannot read ${file}: start a pipeline with 'npm start', or name its --data-dir`)
  }
}

/**
 * @param {string} why
 * @returns {never}
 */
function refuse(why) {
  process.stderr.write(`${why}\n`)
  process.exit(1)
}

/** @param {readonly string[]} targets */
function writeConfiguration(targets) {
  const exported = (/** @type {string} */ option, value = '') =>
    execFileSync(process.execPath, [marketKpi, 'export', 'prometheus-rules', option, value].filter(Boolean), {
      encoding: 'utf8',
    })
  mkdirSync(out, { recursive: true })
  writeFileSync(join(out, 'prometheus.yml'), readFileSync(join(here, 'prometheus.yml')))
  writeFileSync(join(out, 'targets.json'), JSON.stringify([{ targets }]))
  writeFileSync(join(out, 'alertmanagers.json'), JSON.stringify([{ targets: [new URL(alertmanagerUrl).host] }]))
  // The same interval as in prometheus.yml.
  writeFileSync(join(out, 'market-kpi.rules.yml'), exported('--interval', '5s'))
  const own = readFileSync(join(here, 'alertmanager.yml'), 'utf8')
  writeFileSync(join(out, 'alertmanager.yml'), `${own}\n${exported('--inhibit')}`)
}

/**
 * @param {readonly string[]} programs - The first of these that is installed is started.
 * @param {Record<string, string>} flags
 */
function startServer(programs, flags) {
  const [name = ''] = programs
  const program =
    programs.find(isInstalled) ??
    fail(`${name} is not in PATH; Debian: apt-get install prometheus prometheus-alertmanager`)
  const log = openSync(join(out, `${name}.log`), 'w')
  const args = Object.entries(flags).map(([flag, value]) => `${flag}=${value}`)
  const child = spawn(program, args, { stdio: ['ignore', log, log] })
  closeSync(log)
  return { name, child }
}

/** @param {string} program */
function isInstalled(program) {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/**
 * @param {string} name
 * @param {string} url
 */
async function untilReady(name, url) {
  const end = Date.now() + readyTimeoutMs
  while (
    !(await fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (Date.now() > end) fail(`${name} was not ready within ${readyTimeoutMs / 1000} s: ${lastLine(name)}`)
    await delay(100)
  }
}

/** @param {string} name */
function lastLine(name) {
  return readFileSync(join(out, `${name}.log`), 'utf8')
    .trimEnd()
    .split('\n')
    .at(-1)
}

function stop() {
  isStopping = true
  for (const { child } of servers) child.kill('SIGTERM')
}

/**
 * @param {string} why
 * @returns {never}
 */
function fail(why) {
  process.stderr.write(`${why}\n`)
  process.exitCode = 1
  stop()
  process.exit()
}
