import type { Probe } from '../../store/client/probe.ts'
import type { Asked, PositionState, PositionsState } from '../snapshot.ts'

type Row = PositionState & { readonly merged: number; readonly rejected: number }

/** Reads the pipeline's positions, which are committed in the same transaction as the rows. */
export async function lookAtPositions(probe: Probe, { group, topic }: Asked): Promise<PositionsState> {
  const rows = await probe.query<Row>(question, [group, topic])
  return {
    partitions: rows.map(({ merged: _merged, rejected: _rejected, ...position }) => position),
    merged: rows.reduce((sum, { merged }) => sum + merged, 0),
    rejected: rows.reduce((sum, { rejected }) => sum + rejected, 0),
  }
}

const question = `
  SELECT partition, next_offset AS "nextOffset", merged, rejected,
    (extract(epoch FROM updated_at) * 1000)::float8 AS "movedAtMs",
    (extract(epoch FROM idle_since) * 1000)::float8 AS "idleSinceMs"
  FROM kpi_consumer_offsets WHERE consumer_group = $1 AND topic = $2 ORDER BY partition`
