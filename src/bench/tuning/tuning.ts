import type { Logger } from '../../log.ts'
import { type NaiveRun, naiveWays, runNaively } from '../database/naive-writes.ts'
import { type LiveRun, runLive } from '../live/live-run.ts'
import { caseNamed, type TuningName, type TuningPlan } from '../plan.ts'
import { latencyNoise, rateNoise, type Series } from '../report/series.ts'
import { openScene } from '../scene.ts'
import type { BenchServers } from '../servers.ts'
import { type ConsumeRun, runConsume } from '../throughput/consume-run.ts'
import { ExactRows } from '../throughput/exact-rows.ts'
import { loadTopic } from '../throughput/workload.ts'

/** One setting that differs from the defaults, and its results. */
export interface TuningCase {
  readonly setting: TuningName
  /** Processing of a backlog, once per round. */
  readonly runs: ConsumeRun[]
  /** Processing of prices at a steady rate, after the backlog. */
  live?: LiveRun
}

export interface TuningReport {
  readonly cases: readonly TuningCase[]
  readonly naive: readonly NaiveRun[]
  readonly problems: string[]
}

/** The worker settings for each name. */
function tuningSettings(partitions: number): Record<TuningName, Record<string, string>> {
  return {
    default: {},
    'batch-10': { BATCH_SIZE: '10' },
    'batch-50': { BATCH_SIZE: '50' },
    'batch-100': { BATCH_SIZE: '100' },
    'batch-200': { BATCH_SIZE: '200' },
    'batch-1000': { BATCH_SIZE: '1000' },
    'pool-2': { MAX_POOL_CONNECTIONS: '2' },
    'pool-partitions': { MAX_POOL_CONNECTIONS: String(partitions) },
    'wait-10': { BATCH_WAIT_MS: '10' },
    'wait-50': { BATCH_WAIT_MS: '50' },
    'wait-1000': { BATCH_WAIT_MS: '1000' },
  }
}

interface Parts {
  readonly plan: TuningPlan
  readonly servers: BenchServers
  readonly log: Logger
}

const topic = 'bench-tuning'

/**
 * Measures each setting alone: first a backlog in interleaved rounds, then a steady rate. Measures the naive ways for
 * comparison.
 */
export async function measureTuning(parts: Parts): Promise<TuningReport> {
  const { plan, log } = parts
  const exact = new ExactRows()
  const problems: string[] = []
  const note = (what: string, problem: string | undefined) => {
    if (problem !== undefined) problems.push(`${what}: ${problem}`)
  }
  await load(parts)
  const cases: TuningCase[] = plan.settings.map((setting) => ({ setting, runs: [] }))
  for (let round = 1; round <= plan.runs; round++) {
    for (const one of cases) note(`${one.setting}, round ${round}`, await workOff(one, { ...parts, exact, round }))
  }
  for (const one of cases) {
    const { rate: ratePerSecond, seconds, warmUpSeconds, partitions } = plan
    const settings = settingsOf(one, partitions)
    const live = { name: `live-${one.setting}`, settings, ratePerSecond, seconds, warmUpSeconds, partitions }
    const { run, problem } = await runLive(live, { ...parts, exact })
    one.live = run
    log.info(`${one.setting}, ${ratePerSecond} messages/s: p99 ${run.latency.p99.toFixed(0)} ms`)
    note(`${one.setting}, live`, problem)
  }
  return { cases, naive: await writeNaively(parts, note), problems }
}

function settingsOf({ setting }: TuningCase, partitions: number): Record<string, string> {
  return tuningSettings(partitions)[setting]
}

async function load({ plan, servers, log }: Parts): Promise<void> {
  const scene = await openScene(servers, { topic, name: 'load-tuning', partitions: plan.partitions }, log)
  try {
    await loadTopic({ ...caseNamed('narrow'), messages: plan.messages }, { cluster: scene.cluster, topic, log })
  } finally {
    await scene.close()
  }
}

async function workOff(
  one: TuningCase,
  { plan, servers, log, exact, round }: Parts & { exact: ExactRows; round: number },
): Promise<string | undefined> {
  const { partitions, messages } = plan
  const settings = settingsOf(one, partitions)
  const scene = await openScene(servers, { topic, partitions, settings, name: `tuning-${one.setting}-${round}` }, log)
  try {
    const run = await runConsume(scene, { messages, workers: 1 })
    one.runs.push(run)
    log.info(`round ${round}: ${one.setting}: ${Math.round(run.messages / run.seconds)} messages/s`)
    return await exact.problemOf(scene, messages)
  } finally {
    await scene.close()
  }
}

async function writeNaively(
  { plan, servers, log }: Parts,
  note: (what: string, problem: string | undefined) => void,
): Promise<NaiveRun[]> {
  const scene = await openScene(servers, { topic, partitions: plan.partitions, name: 'naive' }, log)
  const runs: NaiveRun[] = []
  try {
    for (const way of naiveWays) {
      const { run, problem } = await runNaively(scene, way, plan.naiveMessages)
      runs.push(run)
      log.info(`${way}: ${Math.round(run.messages / run.seconds)} messages/s`)
      note(way, problem)
    }
    return runs
  } finally {
    await scene.close()
  }
}

export function tuningSeries({ cases }: TuningReport): Series[] {
  return cases.flatMap(({ setting, runs, live }): Series[] => [
    {
      name: `tuning ${setting}, backlog`,
      unit: 'messages/s',
      better: 'higher',
      values: runs.map(({ messages, seconds }) => messages / seconds),
      noise: rateNoise,
    },
    {
      name: `tuning ${setting}, p99`,
      unit: 'ms',
      better: 'lower',
      values: live ? [live.latency.p99] : [],
      noise: latencyNoise,
    },
  ])
}
