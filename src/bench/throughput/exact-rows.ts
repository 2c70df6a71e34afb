import { definitionOf } from '../../services/definition.ts'
import { verify } from '../../verify/verify.ts'
import type { Scene } from '../scene.ts'

/**
 * Checks whether the rows of a run are correct. For the first run of a topic, they are computed again from the log
 * with the independent method of `verify`. For later runs they must be identical to those rows, which is faster to
 * check.
 */
export class ExactRows {
  readonly #digests = new Map<string, string>()

  /** @returns What is wrong; undefined if all messages are accounted for and all rows are exact. */
  async problemOf(scene: Scene, messages: number): Promise<string | undefined> {
    const { rejected, merged, traded } = await countsOf(scene)
    if (merged + rejected !== messages || rejected > 0 || traded !== merged) {
      return `${messages} messages, of which ${merged} merged, ${rejected} rejected and ${traded} in the rows`
    }
    const digest = await digestOf(scene)
    if (this.#digests.get(scene.topic) === digest) return undefined
    const { cluster, metadata, database, config } = scene
    const definition = definitionOf(config, metadata)
    const report = await verify({ cluster, metadata, database, definition, filter: {} })
    const isExact = report.differenceCount === 0 && report.uncheckedCount === 0 && report.messages === messages
    if (!isExact) return `${report.differenceCount} differences from the log: ${JSON.stringify(report.differences[0])}`
    this.#digests.set(scene.topic, digest)
    return undefined
  }
}

interface Counts {
  readonly merged: number
  readonly rejected: number
  readonly traded: number
}

async function countsOf({ database }: Scene): Promise<Counts> {
  const [counts] = await database.query<Counts>({
    text: `
      SELECT coalesce(sum(merged), 0)::bigint AS merged, coalesce(sum(rejected), 0)::bigint AS rejected,
        (SELECT coalesce(sum(trade_count), 0)::bigint FROM kpi_market_prices) AS traded
      FROM kpi_consumer_offsets`,
  })
  return counts ?? { merged: 0, rejected: 0, traded: 0 }
}

/** A digest of every column except the time of the last write. */
async function digestOf({ database }: Scene): Promise<string> {
  const [row] = await database.query<{ digest: string }>({
    text: `
      SELECT coalesce(md5(string_agg((to_jsonb(k) - 'updated_at')::text, '' ORDER BY symbol, window_start)), '') AS digest
      FROM kpi_market_prices k`,
  })
  return row?.digest ?? ''
}
