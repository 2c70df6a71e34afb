import type { Database } from '../client/connection.ts'
import type { WindowFilter } from './verify-snapshot.ts'

/** How many rows a range holds, for a question before they are replaced. */
export async function countRows(database: Database, { symbols, fromUs, toUs }: WindowFilter): Promise<number> {
  const [found] = await database.query<{ rows: number }>({
    text: `SELECT count(*) AS rows FROM kpi_market_prices
      WHERE ($1::text[] IS NULL OR symbol = ANY ($1))
        AND ($2::float8 IS NULL OR window_start >= to_timestamp($2)) AND ($3::float8 IS NULL OR window_start < to_timestamp($3))`,
    values: [symbols ?? null, seconds(fromUs), seconds(toUs)],
  })
  return found?.rows ?? 0
}

function seconds(us: number | undefined): number | null {
  return us === undefined ? null : us / 1e6
}
