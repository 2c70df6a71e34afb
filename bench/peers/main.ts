// The same job by market-kpi and by others, in turns, on one broker and one database: npm run bench:peers -- --help.
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { startServers } from '../../src/cli/bench/servers.ts'
import { listenForStop } from '../../src/embedded/stop-signals.ts'
import { KpiError, messageOf } from '../../src/errors.ts'
import { createLogger } from '../../src/log.ts'
import { Arena } from './arena.ts'
import { BuildProblem, build, versionsOf } from './build.ts'
import { type Build, type ContenderName, contenderNames, contenders } from './contenders.ts'
import { type PeerOptions, parseOptions, UsageError, usage } from './peer-options.ts'
import { killPeers } from './peer-process.ts'
import {
  isGood,
  type LeftOut,
  problemOf,
  type Result,
  rateOf,
  resultsTable,
  type Titles,
  thousands,
} from './results.ts'

const args = process.argv.slice(2)
process.exitCode = args.includes('--help') ? help() : await main()

function help(): number {
  process.stdout.write(usage)
  return 0
}

/** @returns 1 when a contender failed or came to wrong rows. */
async function main(): Promise<number> {
  try {
    const options = parseOptions(args)
    const leftOut = await buildAll(options)
    const results = await compete(
      options,
      options.peers.filter((name) => !leftOut.some(({ contender }) => contender === name)),
    )
    print(options, results, { versions: allVersions(), leftOut })
    return results.every(isGood) ? 0 : 1
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof KpiError)) throw error
    process.stderr.write(`bench:peers: ${messageOf(error)}\n`)
    return error instanceof UsageError ? 2 : error.exitCode
  }
}

function say(line: string): void {
  process.stderr.write(`bench:peers: ${line}\n`)
}

/** Before anything is measured. @returns Those that cannot be built here. */
async function buildAll({ peers }: PeerOptions): Promise<LeftOut[]> {
  const problems = new Map<Build, string>()
  for (const kind of new Set(peers.flatMap((name) => contenders[name].build ?? []))) {
    try {
      await build(kind, say)
    } catch (error) {
      if (!(error instanceof BuildProblem)) throw error
      problems.set(kind, error.message)
    }
  }
  return peers.flatMap((contender) => {
    const kind = contenders[contender].build
    const why = kind === null ? undefined : problems.get(kind)
    if (why === undefined) return []
    say(`${contender} is left out: ${why}`)
    return [{ contender, why }]
  })
}

async function compete(options: PeerOptions, names: readonly ContenderName[]): Promise<Result[]> {
  const log = createLogger({ level: 'warn', format: 'pretty' })
  process.once('exit', killPeers)
  const wish = listenForStop(() => process.exit(1))
  const servers = await startServers(log)
  try {
    const arena = new Arena(servers, log, say)
    return await allRounds(arena, options, names)
  } finally {
    await servers.stop()
    wish.release()
  }
}

async function allRounds(arena: Arena, options: PeerOptions, names: readonly ContenderName[]): Promise<Result[]> {
  const results: Result[] = []
  for (let round = 1; round <= options.rounds; round++) {
    // Each begins a round once, so that none always runs after the same other one.
    const order = names.map((_, index) => names[(index + round - 1) % names.length] ?? 'market-kpi')
    for (const shape of options.shapes) {
      for (const contender of order) {
        const outcome = await arena.run(contender, shape, options.messages)
        const result = { round, shape, contender, outcome }
        results.push(result)
        say(`round ${round}, ${shape}, ${contender}: ${told(result)}`)
      }
    }
  }
  return results
}

function told({ outcome }: Result): string {
  const problem = problemOf(outcome)
  return 'problem' in outcome || problem !== '' ? problem : `${thousands(rateOf(outcome))} messages/s`
}

function allVersions(): Titles['versions'] {
  const versions = contenderNames.map((name) => [name, versionsOf(contenders[name])] as const)
  return Object.fromEntries(versions) as Record<ContenderName, string>
}

function print(options: PeerOptions, results: readonly Result[], titles: Titles): void {
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${process.platform} ${process.arch}, Node ${process.versions.node}`
  const { messages, rounds } = options
  process.stdout.write(
    `${machine}; ${thousands(messages)} messages a topic, ${rounds} ${rounds === 1 ? 'round' : 'rounds'}\n\n${resultsTable(results, titles)}`,
  )
  if (options.json === undefined) return
  writeFileSync(options.json, `${JSON.stringify({ machine, messages, rounds, ...titles, results }, undefined, 1)}\n`)
}
