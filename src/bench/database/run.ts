import type { PostgresServer } from '../../embedded/postgres/postgres-server.ts'
import type { Logger } from '../../log.ts'
import { withClient } from '../../store/client/connection.ts'
import { postgresVersion } from '../machine.ts'
import { latencyNoise, rateNoise, type Series } from '../report/series.ts'
import { percentile } from '../report/statistics.ts'
import { type GrowthRun, measureGrowth } from './growth.ts'
import { PartialBatches } from './partial-batches.ts'
import type { DatabasePlan, NamedShape } from './plan.ts'
import { DatabaseScene, ownerOptions } from './scene.ts'
import { DatabaseServers } from './servers.ts'
import { type DatabaseVariant, type DatabaseVariantName, databaseVariants } from './variants.ts'

/** The result of a number of commits. */
export interface DatabaseRun {
  readonly commits: number
  readonly messages: number
  readonly rowsWritten: number
  /** Total time of the commits, which run one after the other. */
  readonly seconds: number
  readonly p99Ms: number
  readonly walBytes: number
  /** Share of row updates that stayed on their page and changed no index (HOT updates). */
  readonly hotShare: number
  readonly dead: number
  /** Rows in the table at the end. */
  readonly rows: number
  readonly bytes: number
  readonly autovacuums: number
  readonly postgresCpuSeconds: number
}

export interface DatabaseCase {
  readonly shape: NamedShape['name']
  readonly variant: DatabaseVariantName
  readonly runs: DatabaseRun[]
}

export interface DatabaseReport {
  readonly postgres: string
  readonly cases: readonly DatabaseCase[]
  readonly growth: readonly GrowthRun[]
  /** Variants that this build of PostgreSQL does not support. */
  readonly notBuiltIn: readonly DatabaseVariantName[]
  readonly problems: string[]
}

/**
 * Measures PostgreSQL alone: the commits of a worker, without a broker, on a new database for each run. Variants are
 * interleaved in rounds, and each round begins with a different variant, so that other load on the machine affects
 * all of them.
 */
export async function measureDatabase({ plan, log }: { plan: DatabasePlan; log: Logger }): Promise<DatabaseReport> {
  const servers = new DatabaseServers(log)
  const problems: string[] = []
  try {
    const shipped = await servers.with()
    const postgres = await postgresVersion(shipped)
    const notBuiltIn = await missingFrom(shipped, plan.variants)
    const variants = plan.variants.filter((variant) => !notBuiltIn.includes(variant))
    const cases: DatabaseCase[] = []
    for (const shape of plan.shapes) {
      cases.push(...(await measureShape(shape, { plan: { ...plan, variants }, servers, log, problems })))
    }
    const growth = await measureGrowth({ plan: plan.growth, servers, log, problems })
    return { postgres, cases, growth, notBuiltIn, problems }
  } finally {
    await servers.stop()
  }
}

/** A build may support fewer values of a setting, such as kinds of compression. */
async function missingFrom(
  server: PostgresServer,
  variants: readonly DatabaseVariantName[],
): Promise<DatabaseVariantName[]> {
  const { rows } = await withClient(ownerOptions(server, 'postgres'), (client) =>
    client.query<{ name: string; values: string[] }>(
      'SELECT name, enumvals AS values FROM pg_settings WHERE enumvals IS NOT NULL',
    ),
  )
  const known = new Map(rows.map(({ name, values }) => [name, values]))
  return variants.filter((variant) => {
    const { server: settings = {} }: DatabaseVariant = databaseVariants[variant]
    return Object.entries(settings).some(([name, value]) => known.get(name)?.includes(value) === false)
  })
}

interface Parts {
  readonly plan: DatabasePlan
  readonly servers: DatabaseServers
  readonly log: Logger
  readonly problems: string[]
}

async function measureShape(shape: NamedShape, parts: Parts): Promise<DatabaseCase[]> {
  const { plan, log, problems } = parts
  const batches = await PartialBatches.prepare(shape)
  const cases: DatabaseCase[] = plan.variants.map((variant) => ({ shape: shape.name, variant, runs: [] }))
  for (let round = 0; round < plan.runs; round++) {
    const first = round % cases.length
    for (const one of [...cases.slice(first), ...cases.slice(0, first)]) {
      const { run, problem } = await commitAll(one, shape, { ...parts, batches, name: `${shape.name}-${round}` })
      one.runs.push(run)
      log.info(`round ${round + 1}: ${shape.name}, ${one.variant}: ${Math.round(run.rowsWritten / run.seconds)} rows/s`)
      if (problem !== undefined) problems.push(`${shape.name}, ${one.variant}, round ${round + 1}: ${problem}`)
    }
  }
  return cases
}

async function commitAll(
  { variant }: DatabaseCase,
  { commits }: NamedShape,
  { servers, batches, name }: Parts & { batches: PartialBatches; name: string },
): Promise<{ run: DatabaseRun; problem: string | undefined }> {
  const settings: DatabaseVariant = databaseVariants[variant]
  const server = await servers.with(settings.server)
  const scene = await DatabaseScene.open({ server, name: `${name}-${variant}`, variant: settings, batches })
  try {
    const before = await scene.counters()
    const times = new Float64Array(commits)
    let rowsWritten = 0
    for (let i = 0; i < commits; i++) {
      const { rows, ms } = await scene.commitNext()
      times[i] = ms
      rowsWritten += rows
    }
    const after = await scene.counters()
    const { messages } = scene
    const run: DatabaseRun = {
      commits,
      messages,
      rowsWritten,
      seconds: times.reduce((sum, ms) => sum + ms, 0) / 1000,
      p99Ms: percentile(times.toSorted(), 0.99),
      walBytes: after.walBytes - before.walBytes,
      hotShare: after.updatedHot / after.updated,
      dead: after.dead,
      rows: after.rows,
      bytes: after.bytes,
      autovacuums: after.autovacuums,
      postgresCpuSeconds: after.postgresCpuSeconds - before.postgresCpuSeconds,
    }
    return { run, problem: after.messages === messages ? undefined : `${after.messages} of ${messages} messages` }
  } finally {
    await scene.close()
  }
}

export function databaseSeries({ cases }: DatabaseReport): Series[] {
  return cases.flatMap(({ shape, variant, runs }): Series[] => {
    const name = (what: string) => `database ${shape}, ${variant}, ${what}`
    return [
      {
        name: name('rows'),
        unit: 'rows/s',
        better: 'higher',
        values: runs.map(({ rowsWritten, seconds }) => rowsWritten / seconds),
        noise: rateNoise,
      },
      {
        name: name('p99'),
        unit: 'ms',
        better: 'lower',
        values: runs.map(({ p99Ms }) => p99Ms),
        noise: latencyNoise,
      },
      {
        name: name('WAL'),
        unit: 'bytes a row',
        better: 'lower',
        values: runs.map(({ walBytes, rowsWritten }) => walBytes / rowsWritten),
        noise: rateNoise,
      },
    ]
  })
}
