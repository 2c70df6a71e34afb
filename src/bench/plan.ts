import type { Compression } from '../kafka/records/record-batch-writer.ts'
import { type DatabasePlan, databasePlanOf } from './database/plan.ts'
import type { DatabaseVariantName } from './database/variants.ts'
import type { StartUpPlan } from './start-up/start-up.ts'

/** A workload, and the number of workers that process it. */
export interface Case {
  readonly name: string
  readonly symbols: number
  readonly windows: number
  readonly compression: Compression
  readonly unusualPercent: number
  readonly workers: number
}

export interface ThroughputPlan {
  readonly cases: readonly Case[]
  readonly messages: number
  readonly partitions: number
  readonly runs: number
}

export interface LatencyPlan {
  /** Messages per second. */
  readonly rates: readonly number[]
  /** Values of BATCH_WAIT_MS. */
  readonly waitsMs: readonly number[]
  /** Measured time, after the warm-up. */
  readonly seconds: number
  readonly warmUpSeconds: number
  readonly partitions: number
  readonly runs: number
}

export interface TuningPlan {
  readonly settings: readonly TuningName[]
  /** Messages in the backlog. */
  readonly messages: number
  readonly runs: number
  /** Rate of the live load, in messages per second. */
  readonly rate: number
  readonly seconds: number
  readonly warmUpSeconds: number
  readonly partitions: number
  /** Messages that are written one by one. */
  readonly naiveMessages: number
}

/** Everything that a run measures. A report contains it, so that another run can measure the same. */
export interface Plan {
  readonly throughput?: ThroughputPlan | undefined
  readonly latency?: LatencyPlan | undefined
  readonly tuning?: TuningPlan | undefined
  readonly database?: DatabasePlan | undefined
  readonly startUp?: StartUpPlan | undefined
}

const narrow = { symbols: 50, windows: 7, compression: 'none', unusualPercent: 0, workers: 1 } as const

/** The workloads of the performance guide. */
export const namedCases = {
  narrow,
  wide: { ...narrow, symbols: 500, windows: 67 },
  lz4: { ...narrow, compression: 'lz4' },
  zstd: { ...narrow, compression: 'zstd' },
  unusual: { ...narrow, unusualPercent: 10 },
  'two-workers': { ...narrow, workers: 2 },
} as const satisfies Record<string, Omit<Case, 'name'>>

/** The settings in the tuning tables. Each is changed alone and compared with the defaults. */
export const tuningNames = [
  'default',
  'batch-10',
  'batch-50',
  'batch-100',
  'batch-200',
  'batch-1000',
  'pool-2',
  'pool-partitions',
  'wait-10',
  'wait-50',
  'wait-1000',
] as const

export type TuningName = (typeof tuningNames)[number]
export type CaseName = keyof typeof namedCases

export function caseNamed(name: CaseName): Case {
  return { name, ...namedCases[name] }
}

export const parts = ['throughput', 'latency', 'tuning', 'database', 'start-up', 'all'] as const

/** The options of the command line. The plan chooses a value for what is not given. */
export interface PlanFlags {
  readonly cases?: readonly CaseName[]
  readonly messages?: number
  readonly symbols?: number
  readonly windows?: number
  readonly compression?: Compression
  readonly unusual?: number
  readonly workers?: number
  readonly partitions?: number
  readonly runs?: number
  readonly rates?: readonly number[]
  readonly waits?: readonly number[]
  readonly settings?: readonly TuningName[]
  readonly variants?: readonly DatabaseVariantName[]
  readonly seconds?: number
  readonly quick?: true
}

interface Sizes {
  readonly messages: number
  readonly runs: number
  readonly latencyRuns: number
  readonly startUpRuns: number
  readonly rates: readonly number[]
  readonly latencySeconds: number
  readonly tuningSeconds: number
  readonly tuningRate: number
  readonly naiveMessages: number
  readonly settings: readonly TuningName[]
}

const sizes: Sizes = {
  messages: 1_000_000,
  runs: 3,
  latencyRuns: 1,
  startUpRuns: 11,
  rates: [1000, 10_000, 100_000],
  latencySeconds: 20,
  tuningSeconds: 10,
  tuningRate: 10_000,
  naiveMessages: 3000,
  settings: tuningNames,
}

/** Shows that everything works, and approximate figures. It is too short for reliable ones. */
const quickSizes: Sizes = {
  messages: 200_000,
  runs: 2,
  latencyRuns: 1,
  startUpRuns: 3,
  rates: [1000, 10_000],
  latencySeconds: 3,
  tuningSeconds: 3,
  tuningRate: 10_000,
  naiveMessages: 300,
  settings: ['default', 'batch-10', 'pool-2', 'wait-10'],
}

const defaultPartitions = 3
const defaultWaitMs = 200
const lowWaitMs = 20
const longestWarmUpSeconds = 5

export function planOf(part: (typeof parts)[number], flags: PlanFlags): Plan {
  const size = flags.quick ? quickSizes : sizes
  const { messages = size.messages, runs = size.runs, partitions = defaultPartitions } = flags
  const { rates = size.rates, waits = [defaultWaitMs, lowWaitMs], settings = size.settings } = flags
  const isWanted = (name: typeof part) => part === name || part === 'all'
  return {
    throughput: isWanted('throughput') ? { cases: casesOf(flags), messages, partitions, runs } : undefined,
    latency: isWanted('latency')
      ? {
          rates,
          waitsMs: waits,
          ...timesOf(flags.seconds ?? size.latencySeconds),
          partitions,
          runs: flags.runs ?? size.latencyRuns,
        }
      : undefined,
    tuning: isWanted('tuning')
      ? {
          settings,
          messages,
          runs,
          rate: size.tuningRate,
          ...timesOf(flags.seconds ?? size.tuningSeconds),
          partitions,
          naiveMessages: Math.min(size.naiveMessages, messages),
        }
      : undefined,
    database: isWanted('database') ? databasePlanOf({ ...flags, runs }) : undefined,
    startUp: isWanted('start-up') ? { runs: flags.runs ?? size.startUpRuns } : undefined,
  }
}

/** The named cases; otherwise the case that the options describe; otherwise narrow and wide. */
function casesOf({ cases, symbols, windows, compression, unusual, workers }: PlanFlags): Case[] {
  const given = [symbols, windows, compression, unusual, workers].some((value) => value !== undefined)
  const named = cases ?? (given ? [] : (['narrow', 'wide'] as const))
  const own: Case = {
    name: 'own',
    symbols: symbols ?? narrow.symbols,
    windows: windows ?? narrow.windows,
    compression: compression ?? narrow.compression,
    unusualPercent: unusual ?? narrow.unusualPercent,
    workers: workers ?? narrow.workers,
  }
  return [...named.map(caseNamed), ...(given ? [own] : [])]
}

function timesOf(seconds: number): { seconds: number; warmUpSeconds: number } {
  return { seconds, warmUpSeconds: Math.min(longestWarmUpSeconds, Math.ceil(seconds / 4)) }
}
