import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { nodeFlags } from '../../config/node-flags.ts'
import type { Logger } from '../../log.ts'
import { cliEntry } from '../../process/cli-entry.ts'
import { makeTemporaryFolder, removeTemporaryFolder } from '../../process/temporary-folder.ts'
import { ratioNoise, type Series } from '../report/series.ts'
import { median } from '../report/statistics.ts'
import { openScene } from '../scene.ts'
import type { BenchServers } from '../servers.ts'
import { cpuSecondsOf } from './cpu-of-command.ts'

export interface StartUpPlan {
  readonly runs: number
}

/** CPU seconds of a command from start to end, one value per run. */
export interface StartUpCase {
  readonly command: string
  /** The maximum, as a multiple of `node -e 0`. */
  readonly target: number
  readonly cpuSeconds: readonly number[]
}

export interface StartUpReport {
  /** CPU seconds of `node -e 0` in the same rounds. */
  readonly nodeCpuSeconds: readonly number[]
  readonly cases: readonly StartUpCase[]
}

interface Measured {
  readonly command: string
  readonly target: number
  readonly args: readonly string[]
}

/**
 * Measures the start of commands. Folders and servers exist but hold no data, so a command has little to do, and most
 * of its time is its start.
 */
export async function measureStartUp(options: {
  readonly servers: BenchServers
  readonly plan: StartUpPlan
  readonly log: Logger
}): Promise<StartUpReport> {
  const { servers, plan, log } = options
  const folder = makeTemporaryFolder('market-kpi-start-up-')
  const scene = await openScene(servers, { topic: 'start-up', name: 'start_up', partitions: 1 }, log)
  try {
    const env = { ...process.env, ...scene.env, NO_COLOR: '1' }
    const measure = (args: readonly string[]) => cpuSecondsOf(process.execPath, args, { env, cwd: folder })
    const commands = commandsIn(folder)
    const launch = ({ args }: Measured) => measure([...nodeFlags([]), cliEntry, ...args])
    // The first run takes longer, because Node caches compiled code.
    for (const command of commands) await launch(command)
    log.info('start-up: every command was run once')
    const nodeCpuSeconds: number[] = []
    const figures = commands.map((): number[] => [])
    for (let run = 0; run < plan.runs; run += 1) {
      nodeCpuSeconds.push(await measure(['-e', '0']))
      for (const [index, command] of commands.entries()) figures[index]?.push(await launch(command))
      log.info(`start-up: round ${run + 1} of ${plan.runs}`)
    }
    const cases = commands.map(({ command, target }, index) => ({ command, target, cpuSeconds: figures[index] ?? [] }))
    return { nodeCpuSeconds, cases }
  } finally {
    await scene.close()
    removeTemporaryFolder(folder)
  }
}

/** The commands that people and scripts run most often. */
function commandsIn(folder: string): Measured[] {
  const dataDir = join(folder, 'data')
  mkdirSync(dataDir)
  return [
    { target: 4, args: ['--version'] },
    { target: 6, args: ['--help'] },
    { target: 10, args: ['down', '--data-dir', dataDir] },
    { target: 10, args: ['export', 'prometheus-rules'] },
    { target: 10, args: ['export', 'grafana', '--out', join(folder, 'grafana')] },
    { target: 10, args: ['export', 'config-schema'] },
    { target: 25, args: ['health'] },
    { target: 25, args: ['alerts', 'check'] },
    { target: 25, args: ['offsets', 'show'] },
    { target: 25, args: ['monitor', '--once'] },
  ].map((one) => ({ ...one, command: one.args.filter((word) => !word.startsWith(folder)).join(' ') }))
}

/** The CPU of each run as a multiple of that of `node -e 0`. */
export function ratiosOf(cpuSeconds: readonly number[], nodeCpuSeconds: readonly number[]): number[] {
  const unit = median(nodeCpuSeconds)
  return cpuSeconds.map((seconds) => seconds / unit)
}

export function startUpSeries({ cases, nodeCpuSeconds }: StartUpReport): Series[] {
  return cases.map(({ command, cpuSeconds }) => ({
    name: `start-up: ${command}`,
    unit: '% of node -e 0',
    better: 'lower',
    values: ratiosOf(cpuSeconds, nodeCpuSeconds).map((ratio) => ratio * 100),
    noise: ratioNoise,
  }))
}
