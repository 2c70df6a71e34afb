// A real broker, database and workers under load, with faults after a schedule: npm run chaos -- --help. The schedule
// is the seed's; which message meets which fault is the machine's.

import { randomInt } from 'node:crypto'
import { appendFileSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { runChild } from '../../bin/run-child.js'
import { exitOnSignals, makeTemporaryFolder } from '../../src/process/temporary-folder.ts'
import { UsageError } from '../number-option.ts'
import { type ChaosOptions, parseOptions, usage } from './chaos-options.ts'
import { killAllWorkers } from './crew.ts'
import { disksReady, disksVariable, obstacleToDisks } from './faults/disks.ts'
import { kindNames, makePlan, planText, type Round } from './plan.ts'
import { Production } from './production.ts'

/** What is open after the end, a connection that nobody answers, must not keep whoever waits for us. */
const lingerMs = 5000

const args = process.argv.slice(2)
process.exitCode = args.includes('--help') ? help() : await main()

function help(): number {
  process.stdout.write(usage)
  return 0
}

async function main(): Promise<number> {
  let options: ChaosOptions
  try {
    options = parseOptions(args, randomInt(1_000_000), kindNames)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`chaos: ${error.message}\n`)
    return 2
  }
  const plan = makePlan(options)
  if (options.plan) {
    process.stdout.write(planText(plan))
    return 0
  }
  return process.env[disksVariable] === undefined ? await inNamespace(options.seed) : await run(options, plan)
}

/** Once more, where disks can be mounted that nobody else sees. */
async function inNamespace(seed: number): Promise<number> {
  const obstacle = obstacleToDisks()
  const env = { ...process.env, [disksVariable]: obstacle ?? disksReady }
  const again = [
    process.execPath,
    import.meta.filename,
    ...args,
    ...(args.includes('--seed') ? [] : ['--seed', `${seed}`]),
  ]
  const [file = '', ...rest] = obstacle === undefined ? ['unshare', '--mount', ...again] : again
  return runChild(file, rest, { env })
}

async function run(options: ChaosOptions, plan: readonly Round[]): Promise<number> {
  const logsDir =
    options.logs === undefined ? mkdtempSync(join(tmpdir(), 'market-kpi-chaos-logs-')) : resolve(options.logs)
  mkdirSync(logsDir, { recursive: true })
  const folder = makeTemporaryFolder('market-kpi-chaos-')
  writeFileSync(join(logsDir, 'plan.txt'), planText(plan))
  const startedAtMs = performance.now()
  const say = (line: string) => {
    const text = `[${((performance.now() - startedAtMs) / 1000).toFixed(1).padStart(7)} s] ${line}\n`
    process.stdout.write(text)
    appendFileSync(join(logsDir, 'chaos.log'), text)
  }
  // Before the folder goes, which they write to.
  process.prependOnceListener('exit', killAllWorkers)
  const found = process.env[disksVariable]
  const production = new Production({
    options,
    plan,
    folder,
    logsDir,
    say,
    diskObstacle: found === disksReady ? undefined : (found ?? 'nobody has looked'),
  })
  exitOnSignals((signal) => {
    production.failed(`ended by ${signal}`)
    return true
  })
  const isGood = await production.run()
  setTimeout(() => {
    say(`ended by force, what is still open: ${process.getActiveResourcesInfo().join(', ')}`)
    process.exit()
  }, lingerMs).unref()
  return isGood ? 0 : 1
}
