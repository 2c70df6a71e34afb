// @ts-check
// The way into a clone: `node scripts/run.mjs COMMAND ARGS`, by any Node from 20 on, with nothing installed. It brings
// what is missing, then runs the command on the pinned Node. Without dependencies.
import { execFile } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runChild } from '../bin/run-child.js'
import { ensureInstalled, pinnedNode } from './install.mjs'
import { Problem } from './problem.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const oldestNode = 20
const oldestJava = 17

/**
 * `needs`: what of the broker must be there before the command. `java` alone where the program fetches the rest.
 * `node`: flags of Node; why that one stands in bin/market-kpi.js.
 *
 * @type {Record<string, { run: readonly string[], needs?: 'java' | 'broker', node?: readonly string[] }>}
 */
const commands = {
  start: { run: ['bin/market-kpi.js', 'up'], needs: 'java', node: ['--max-semi-space-size=2'] },
  stop: { run: ['bin/market-kpi.js', 'down'] },
  consume: { run: ['bin/market-kpi.js', 'consume'], node: ['--max-semi-space-size=2'] },
  health: { run: ['bin/market-kpi.js', 'health'] },
  monitor: { run: ['bin/market-kpi.js', 'monitor'] },
  alerts: { run: ['bin/market-kpi.js', 'alerts', 'check'] },
  grafana: { run: ['bin/market-kpi.js', 'open', 'grafana'] },
  test: { run: ['scripts/test.ts'], needs: 'broker' },
  'test:unit': { run: ['scripts/test.ts', '--project', 'unit', '--project', 'house'] },
  fuzz: { run: ['scripts/fuzz.ts'] },
  chaos: { run: ['test/chaos/main.ts'], needs: 'broker' },
  drill: { run: ['test/drill/main.ts'], needs: 'broker' },
  'bench:peers': { run: ['bench/peers/main.ts'], needs: 'broker', node: ['--max-semi-space-size=2'] },
  check: { run: ['scripts/check.ts'] },
  docs: { run: ['scripts/generate-docs.ts'] },
  build: { run: ['scripts/build.ts'] },
  release: { run: ['scripts/release.ts'] },
}

const [name = '', ...args] = process.argv.slice(2)
try {
  process.exitCode = await main(name, args)
} catch (error) {
  if (!(error instanceof Problem)) throw error
  process.stderr.write(`${name}: ${error.message}\n`)
  process.exitCode = 1
}

/**
 * @param {string} name
 * @param {string[]} args
 */
async function main(name, args) {
  const command = commands[name]
  if (command === undefined) throw new Problem(`no such command; there are ${Object.keys(commands).join(', ')}`)
  if (Number.parseInt(process.versions.node, 10) < oldestNode) {
    throw new Problem(`Node ${oldestNode} or newer is needed to install the rest, this is ${process.versions.node}`)
  }
  const tell = (/** @type {string} */ line) => process.stderr.write(`${name}: ${line}\n`)
  if (command.needs !== undefined && !hasOwnBroker() && !args.includes('--help')) await checkJava()
  await ensureInstalled({ root, tell })
  const node = pinnedNode(root)
  // Out of date after a change of the script: `npm ci` alone would not notice.
  const { ensureKafkaProtocol } = await import('./kafka-protocol.mjs')
  await ensureKafkaProtocol()
  const env = { ...process.env, PATH: [dirname(node), process.env.PATH ?? ''].join(delimiter) }
  if (command.needs === 'broker') {
    const code = await runChild(node, [join(root, 'scripts', 'fetch-broker.ts')], { cwd: root, env })
    if (code !== 0) return code
  }
  const [file = '', ...fixed] = command.run
  return await runChild(node, [...(command.node ?? []), join(root, file), ...fixed, ...args], { cwd: root, env })
}

/** Whether a running cluster is named, so that no broker has to run here. */
function hasOwnBroker() {
  const variable = 'KAFKA_BOOTSTRAP_SERVERS'
  if (process.env[variable]?.trim()) return true
  const dotenv = new RegExp(`^\\s*(export\\s+)?${variable}\\s*=\\s*\\S`, 'm')
  const yaml = new RegExp(`^${variable.toLowerCase()}\\s*:\\s*\\S`, 'm')
  return dotenv.test(textOf('.env')) || yaml.test(textOf('market-kpi.yaml'))
}

/**
 * What the program would refuse to read (a pipe, a huge file) is not read here either: it says so itself.
 *
 * @param {string} path
 */
function textOf(path) {
  const about = statSync(join(root, path), { throwIfNoEntry: false })
  return about?.isFile() && about.size <= 1024 * 1024 ? readFileSync(join(root, path), 'utf8') : ''
}

/** Before the long download, not after it; src/embedded/kafka/java.ts then chooses the Java that the broker runs on. */
async function checkJava() {
  const home = process.env.JAVA_HOME?.trim()
  const java = home ? join(home, 'bin', 'java') : 'java'
  const told = await new Promise((resolve) => {
    execFile(java, ['-version'], { timeout: 20_000 }, (error, stdout, stderr) => resolve(error ? '' : stdout + stderr))
  })
  const version = /version "(?:1\.)?(\d+)/.exec(told)?.[1]
  if (told !== '' && (version === undefined || Number(version) >= oldestJava)) return
  const found = told === '' ? `'${java}' does not run` : `'${java}' is Java ${version}`
  throw new Problem(
    `the Kafka broker needs Java ${oldestJava} or newer, ${found}: install one (Debian: apt-get install openjdk-17-jre-headless), set JAVA_HOME, or name a running cluster in KAFKA_BOOTSTRAP_SERVERS`,
  )
}
