import type { Logger } from '../../log.ts'
import { aborted, pause } from '../../runtime/abort.ts'
import { monotonicMs } from '../live/monotonic.ts'
import { PartialBatches } from './partial-batches.ts'
import type { GrowthPlan } from './plan.ts'
import { type DatabaseCounters, DatabaseScene } from './scene.ts'
import type { DatabaseServers } from './servers.ts'
import { type DatabaseVariant, type GrowthVariantName, growthVariants } from './variants.ts'

/** How a table grew over many windows. */
export interface GrowthRun {
  readonly variant: GrowthVariantName
  readonly commits: number
  readonly windows: number
  readonly rows: number
  /** Size of the table with its indexes. */
  readonly bytes: number
  /** Growth per row that was added in the second half of the run. A longer run would continue at this rate. */
  readonly bytesPerAddedRow: number
  /** Size of the same rows after VACUUM FULL. */
  readonly packedBytes: number
  readonly positionBytes: number
  readonly dead: number
  readonly hotShare: number
  readonly autovacuums: number
}

interface Parts {
  readonly plan: GrowthPlan
  readonly servers: DatabaseServers
  readonly log: Logger
  readonly problems: string[]
}

/**
 * Measures all variants in parallel, each with a steady number of commits per second. So each runs for the same time,
 * and clean-up that depends on time (autovacuum) runs as often as in production.
 */
export async function measureGrowth(parts: Parts): Promise<GrowthRun[]> {
  const { plan, log } = parts
  if (plan.variants.length === 0) return []
  const batches = await PartialBatches.prepare(plan)
  const runs = await Promise.all(plan.variants.map((variant) => grow(variant, batches, parts)))
  log.info(`growth: ${plan.variants.join(', ')} for ${plan.seconds} s`)
  return runs
}

async function grow(
  name: GrowthVariantName,
  batches: PartialBatches,
  { plan, servers, problems }: Parts,
): Promise<GrowthRun> {
  const variant: DatabaseVariant = growthVariants[name]
  const server = await servers.with(variant.server)
  const scene = await DatabaseScene.open({ server, name: `growth-${name}`, variant, batches })
  const reading = new AbortController()
  const reader = variant.hasOldReader ? keepReading(scene, reading.signal) : undefined
  try {
    const commits = Math.ceil(plan.seconds * plan.commitsPerSecond)
    const startedAtMs = monotonicMs()
    let halfway: DatabaseCounters | undefined
    for (let i = 0; i < commits; i++) {
      if (i === Math.floor(commits / 2)) halfway = await scene.counters()
      await pause(Math.max(0, startedAtMs + (i / plan.commitsPerSecond) * 1000 - monotonicMs()))
      await scene.commitNext()
    }
    const end = await scene.counters()
    if (end.messages !== scene.messages) problems.push(`growth, ${name}: ${end.messages} of ${scene.messages} messages`)
    reading.abort()
    await reader
    const packedBytes = await pack(scene)
    return {
      variant: name,
      commits,
      windows: Math.ceil(commits / plan.commitsPerSpan),
      rows: end.rows,
      bytes: end.bytes,
      bytesPerAddedRow: (end.bytes - (halfway?.bytes ?? 0)) / (end.rows - (halfway?.rows ?? 0)),
      packedBytes,
      positionBytes: end.positionBytes,
      dead: end.dead,
      hotShare: end.updatedHot / end.updated,
      autovacuums: end.autovacuums,
    }
  } finally {
    reading.abort()
    await reader?.catch(() => undefined) // told above, unless something else failed first
    await scene.close()
  }
}

/** Keeps a snapshot open, as a long report or backup does. */
async function keepReading(scene: DatabaseScene, signal: AbortSignal): Promise<void> {
  await scene.owner.transaction(async (client) => {
    await client.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY')
    await client.query('SET LOCAL idle_in_transaction_session_timeout = 0')
    await client.query('SELECT count(*) FROM kpi_market_prices')
    await aborted(signal)
  })
}

async function pack({ owner }: DatabaseScene): Promise<number> {
  await owner.query({ text: 'VACUUM FULL kpi_market_prices' })
  const [row] = await owner.query<{ bytes: number }>({
    text: "SELECT pg_total_relation_size('kpi_market_prices') AS bytes",
  })
  return row?.bytes ?? Number.NaN
}
