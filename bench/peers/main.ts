// The same job by market-kpi and by others, in turns, on one broker and one database: npm run bench:peers -- --help.
import { writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { ToolProblem } from '../../scripts/run-tool.ts'
import { startServers } from '../../src/bench/servers.ts'
import { KpiError, messageOf } from '../../src/errors.ts'
import { createLogger } from '../../src/log.ts'
import { listenForStop } from '../../src/process/stop-signals.ts'
import { Arena } from './arena.ts'
import { build, versionsOf } from './build.ts'
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

/** @returns 1 when a contender failed or came to wrong rows, when it was stopped, or when there was nobody to run. */
async function main(): Promise<number> {
  try {
    const options = parseOptions(args)
    const loadBefore = loadavg()[0] ?? Number.NaN
    const leftOut = await buildAll(options)
    const absent = new Set(leftOut.map(({ contender }) => contender))
    const present = options.peers.filter((name) => !absent.has(name))
    const results = present.length > 0 ? await compete(options, present) : []
    const wanted = present.length * options.shapes.length * options.rounds
    print({ options, results, wanted, titles: { versions: allVersions(), leftOut }, loadBefore })
    return wanted > 0 && results.filter(isGood).length === wanted ? 0 : 1
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
      if (!(error instanceof ToolProblem)) throw error
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
  const action = listenForStop((kind) => {
    if (kind === 'forceStop') process.exit(1)
    killPeers()
    say('stopping; once more stops at once')
  })
  const servers = await startServers(log)
  try {
    const arena = new Arena(servers, log, say)
    return await allRounds({ arena, options, names, stop: action.stop })
  } finally {
    await servers.stop()
    action.release()
  }
}

interface Competition {
  readonly arena: Arena
  readonly options: PeerOptions
  readonly names: readonly ContenderName[]
  /** What is done by then counts, what is under way does not. */
  readonly stop: AbortSignal
}

async function allRounds({ arena, options, names, stop }: Competition): Promise<Result[]> {
  const results: Result[] = []
  for (let round = 1; round <= options.rounds; round++) {
    for (const shape of options.shapes) {
      for (const contender of turnsOf(round, names)) {
        const outcome = await arena.run(contender, shape, options.messages)
        if (stop.aborted) return results
        const result = { round, shape, contender, outcome }
        results.push(result)
        say(`round ${round}, ${shape}, ${contender}: ${told(result)}`)
      }
    }
  }
  return results
}

/** Each goes first in its turn, so that the first place, if it is a better or a worse one, is nobody's. */
function turnsOf(round: number, names: readonly ContenderName[]): ContenderName[] {
  const first = (round - 1) % names.length
  return [...names.slice(first), ...names.slice(0, first)]
}

function told({ outcome }: Result): string {
  const problem = problemOf(outcome)
  return 'problem' in outcome || problem !== '' ? problem : `${thousands(rateOf(outcome))} messages/s`
}

function allVersions(): Titles['versions'] {
  const versions = contenderNames.map((name) => [name, versionsOf(contenders[name])] as const)
  return Object.fromEntries(versions) as Record<ContenderName, string>
}

interface Figures {
  readonly options: PeerOptions
  readonly results: readonly Result[]
  /** More than there are results when it was stopped. */
  readonly wanted: number
  readonly titles: Titles
  /** Processes that others had running or waiting for a core: figures of a busy machine are no figures. */
  readonly loadBefore: number
}

function print({ options, results, wanted, titles, loadBefore }: Figures): void {
  const { messages, rounds, json } = options
  const model = cpus()[0]?.model.trim() ?? 'unknown processor'
  const machine = `${cpus().length} × ${model}, ${process.platform} ${process.arch}, Node ${process.versions.node}`
  const extent = `${thousands(messages)} messages a topic, ${rounds} ${rounds === 1 ? 'round' : 'rounds'}`
  const load = `load ${loadBefore.toFixed(1)} before the start`
  const stopped = results.length < wanted ? `; stopped after ${results.length} of ${wanted} runs` : ''
  process.stdout.write(`${machine}; ${load}; ${extent}${stopped}\n\n${resultsTable(results, titles)}`)
  if (json === undefined) return
  const figures = { machine, loadBefore, messages, rounds, ...titles, results }
  writeFileSync(json, `${JSON.stringify(figures, undefined, 1)}\n`)
}
