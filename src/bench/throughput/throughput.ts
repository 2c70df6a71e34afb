import type { Logger } from '../../log.ts'
import { startJob } from '../job.ts'
import type { Case, ThroughputPlan } from '../plan.ts'
import { rateNoise, type Series } from '../report/series.ts'
import { openScene, type Scene } from '../scene.ts'
import type { BenchServers } from '../servers.ts'
import { type ConsumeRun, runConsume } from './consume-run.ts'
import { ExactRows } from './exact-rows.ts'
import type { Kcat } from './kcat.ts'
import type { RawFetchJob, RawFetchResult } from './raw-fetch-main.ts'
import { loadTopic } from './workload.ts'

/** The results of one case. Element n of each list was measured in round n. */
export interface CaseReport extends Case {
  readonly runs: ConsumeRun[]
  /** Messages per second: of the worker's fetcher without processing; and of librdkafka, if it is installed. */
  readonly rawFetch: number[]
  readonly librdkafka: number[]
}

export interface ThroughputReport {
  readonly loadedPerSecond: readonly number[]
  readonly cases: readonly CaseReport[]
  /** What was wrong. */
  readonly problems: string[]
}

interface Parts {
  readonly plan: ThroughputPlan
  readonly servers: BenchServers
  readonly kcat: Kcat | undefined
  readonly log: Logger
}

/**
 * Fills one topic for each workload, then measures in rounds. In each round every case and every plain reader of its
 * topic has a turn. The order is reversed each time, so that a change in the machine's speed affects all of them
 * equally.
 */
export async function measureThroughput(parts: Parts): Promise<ThroughputReport> {
  const { plan, log } = parts
  const loadedPerSecond = await loadTopics(parts)
  const exact = new ExactRows()
  const problems: string[] = []
  const cases = plan.cases.map((one) => ({ ...one, runs: [], rawFetch: [], librdkafka: [] }) as CaseReport)
  for (let round = 1; round <= plan.runs; round++) {
    const turns = cases.flatMap((one) => turnsOf(one, { ...parts, exact, problems, round }))
    for (const turn of round % 2 === 1 ? turns : turns.reverse()) log.info(`round ${round}: ${await turn()}`)
  }
  return { loadedPerSecond, cases, problems }
}

/** Cases that differ only in the number of workers share a topic. */
export function topicOf({ symbols, windows, compression, unusualPercent }: Case): string {
  return `bench-${symbols}-${windows}-${compression}-${unusualPercent}`
}

async function loadTopics({ plan, servers, log }: Parts): Promise<number[]> {
  const byTopic = new Map(plan.cases.map((one) => [topicOf(one), one]))
  const rates: number[] = []
  for (const [topic, one] of byTopic) {
    const scene = await openScene(servers, { topic, partitions: plan.partitions, name: `load-${topic}` }, log)
    try {
      const seconds = await loadTopic({ ...one, messages: plan.messages }, { cluster: scene.cluster, topic, log })
      rates.push(plan.messages / seconds)
      log.info(`${topic} is filled, at ${Math.round(plan.messages / seconds)} messages/s`)
    } finally {
      await scene.close()
    }
  }
  return rates
}

type Turn = () => Promise<string>

interface Round extends Parts {
  readonly exact: ExactRows
  readonly problems: string[]
  readonly round: number
}

function turnsOf(one: CaseReport, round: Round): Turn[] {
  const { plan, servers, kcat } = round
  const topic = topicOf(one)
  const told = (who: string, perSecond: number) => `${one.name}, ${who}: ${Math.round(perSecond)} messages/s`
  const turns: Turn[] = [
    async () => {
      const env = servers.environment({ topic, name: topic }, 'pipeline')
      const job: RawFetchJob = { env, messages: plan.messages }
      const { messages, seconds } = await startJob<never, RawFetchResult>('throughput/raw-fetch-main', job).result
      one.rawFetch.push(messages / seconds)
      return told('plain fetch', messages / seconds)
    },
    async () => {
      const run = await measureWorkers(one, round)
      one.runs.push(run)
      return told('market-kpi', run.messages / run.seconds)
    },
  ]
  if (kcat) {
    turns.push(async () => {
      const seconds = await kcat.read(servers.kafka.bootstrap, topic)
      one.librdkafka.push(plan.messages / seconds)
      return told('librdkafka', plan.messages / seconds)
    })
  }
  return turns
}

async function measureWorkers(
  one: CaseReport,
  { plan, servers, log, exact, problems, round }: Round,
): Promise<ConsumeRun> {
  const { messages, partitions } = plan
  const scene: Scene = await openScene(
    servers,
    { topic: topicOf(one), partitions, name: `bench-${one.name}-${round}` },
    log,
  )
  try {
    const run = await runConsume(scene, { messages, workers: one.workers })
    const problem = await exact.problemOf(scene, messages)
    if (problem !== undefined) problems.push(`${one.name}, round ${round}: ${problem}`)
    return run
  } finally {
    await scene.close()
  }
}

/** The figures that a later report is compared by: only those of market-kpi. */
export function throughputSeries({ cases }: ThroughputReport): Series[] {
  return cases.map(({ name, runs }) => ({
    name: `throughput ${name}`,
    unit: 'messages/s',
    better: 'higher',
    values: runs.map(({ messages, seconds }) => messages / seconds),
    noise: rateNoise,
  }))
}
