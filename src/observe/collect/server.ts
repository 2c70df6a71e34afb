import { assert } from '../../errors.ts'
import type { Probe } from '../../store/client/probe.ts'
import type { ServerState } from '../snapshot.ts'

type Row = Omit<ServerState, 'latencyMs' | 'clockAheadMs'> & { readonly nowMs: number }

/** Reads the server's latency, its clock and its connections. */
export async function lookAtServer(probe: Probe): Promise<ServerState> {
  const [sentMs, startMs] = [Date.now(), performance.now()]
  const [row] = await probe.query<Row>(question)
  const latencyMs = performance.now() - startMs
  assert(row, 'a query without a table has one row')
  const { nowMs, ...rest } = row
  // The server read its clock between request and response; the middle is the best estimate.
  return { ...rest, latencyMs, clockAheadMs: nowMs - (sentMs + latencyMs / 2) }
}

const question = `
  SELECT current_setting('server_version') AS "serverVersion",
    (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS "nowMs",
    pg_is_in_recovery() AS "isStandby",
    (SELECT coalesce(sum(numbackends), 0)::int FROM pg_stat_database WHERE datid <> 0) AS "connectionsUsed",
    current_setting('max_connections')::int AS "connectionsMax"`
