import type pg from 'pg'

/** As kpi_gaps has it. */
export interface RecordedGap {
  readonly partition: number
  readonly kind: string
  readonly fromOffset: number
  /** Exclusive. */
  readonly toOffset: number
}

/** All gaps that were ever accepted, oldest first. */
export async function readGaps(client: pg.Client): Promise<RecordedGap[]> {
  const { rows } = await client.query<{ partition: number; kind: string; from: string; to: string }>(
    `SELECT partition, kind, from_offset AS "from", to_offset AS "to" FROM kpi_gaps ORDER BY recorded_at, partition`,
  )
  return rows.map(({ partition, kind, from, to }) => ({
    partition,
    kind,
    fromOffset: Number(from),
    toOffset: Number(to),
  }))
}
