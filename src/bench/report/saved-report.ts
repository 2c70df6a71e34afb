import { accessSync, constants, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { KpiError, messageOf } from '../../errors.ts'
import { compressions } from '../../kafka/records/record-batch-writer.ts'
import type { DatabaseReport } from '../database/run.ts'
import { databaseVariantNames, growthVariantNames } from '../database/variants.ts'
import type { LatencyReport } from '../live/latency.ts'
import type { Machine } from '../machine.ts'
import { type Plan, tuningNames } from '../plan.ts'
import type { StartUpReport } from '../start-up/start-up.ts'
import type { ThroughputReport } from '../throughput/throughput.ts'
import type { TuningReport } from '../tuning/tuning.ts'
import type { Series } from './series.ts'

/** The complete result of `bench`, as `--json` prints it and `--save` stores it. */
export interface BenchReport {
  readonly format: typeof format
  readonly startedAt: string
  readonly machine: Machine
  /** librdkafka's version, if it was measured too. */
  readonly librdkafka?: string | undefined
  readonly plan: Plan
  readonly throughput?: ThroughputReport
  readonly latency?: LatencyReport
  readonly tuning?: TuningReport
  readonly database?: DatabaseReport
  readonly startUp?: StartUpReport
  /** The figures that a later report is compared with. */
  readonly series: readonly Series[]
  /** What was wrong. If the list is empty, every message and every row was exact. */
  readonly problems: readonly string[]
}

export const format = 1

/** The part of an earlier report that a comparison needs. */
export type EarlierReport = Pick<BenchReport, 'startedAt' | 'machine' | 'plan' | 'series'>

const count = z.int().positive()
const live = { seconds: count, warmUpSeconds: count, partitions: count, runs: count }

const caseSchema = z.object({
  name: z.string(),
  symbols: count,
  windows: count,
  compression: z.enum(compressions),
  unusualPercent: z.number().min(0).max(100),
  workers: count,
})

const shape = { symbols: count, windows: count, messages: count, commitsPerSpan: count, distinct: count }

const databaseSchema = z.object({
  variants: z.array(z.enum(databaseVariantNames)),
  shapes: z.array(z.object({ ...shape, name: z.enum(['live', 'wide']), commits: count })),
  growth: z.object({
    ...shape,
    variants: z.array(z.enum(growthVariantNames)),
    commitsPerSecond: count,
    seconds: count,
  }),
  runs: count,
})

const planSchema = z.object({
  throughput: z.object({ cases: z.array(caseSchema), messages: count, partitions: count, runs: count }).optional(),
  latency: z.object({ rates: z.array(count), waitsMs: z.array(z.int().min(0)), ...live }).optional(),
  tuning: z
    .object({
      settings: z.array(z.enum(tuningNames)),
      messages: count,
      rate: count,
      naiveMessages: count,
      ...live,
    })
    .optional(),
  database: databaseSchema.optional(),
  startUp: z.object({ runs: count }).optional(),
})

const seriesSchema = z.object({
  name: z.string(),
  unit: z.string(),
  better: z.enum(['higher', 'lower']),
  values: z.array(z.number()),
  noise: z.object({ share: z.number(), least: z.number() }),
})

const reportSchema = z.object({
  format: z.literal(format),
  startedAt: z.string(),
  machine: z.object({
    processors: z.string(),
    memoryGb: z.number(),
    system: z.string(),
    node: z.string(),
    kafka: z.string(),
    postgres: z.string(),
    marketKpi: z.string(),
  }),
  plan: planSchema,
  series: z.array(seriesSchema),
})

/** @throws KpiError `KPI_USAGE` if the file does not exist, or is not a report. */
export function readReport(path: string): EarlierReport {
  let content: unknown
  try {
    content = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new KpiError('KPI_USAGE', `${path} is not a saved report: ${messageOf(error)}`, { cause: error })
  }
  const { success, data, error } = reportSchema.safeParse(content)
  if (success) return data
  const [issue] = error.issues
  const place = issue?.path.join('.') ?? ''
  throw new KpiError('KPI_USAGE', `${path} is not a report saved by this version: ${place}: ${issue?.message}`)
}

/**
 * Checks before the measurement whether the report can be saved there.
 *
 * @throws KpiError `KPI_USAGE`.
 */
export function checkSavable(path: string): void {
  try {
    accessSync(dirname(resolve(path)), constants.W_OK)
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw new Error('it is a directory')
  } catch (error) {
    throw notWritable(path, error)
  }
}

export function saveReport(path: string, report: BenchReport): void {
  try {
    writeFileSync(path, `${JSON.stringify(report, undefined, 2)}\n`)
  } catch (error) {
    throw notWritable(path, error)
  }
}

function notWritable(path: string, error: unknown): KpiError {
  return new KpiError('KPI_USAGE', `--save ${path} cannot be written: ${messageOf(error)}`, { cause: error })
}
