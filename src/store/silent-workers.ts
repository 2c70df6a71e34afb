import type { Database } from './connection.ts'

/** A worker that ended, or froze, without a word. */
export interface SilentWorker {
  readonly workerId: string
  readonly silentSeconds: number
}

/**
 * Workers that were last heard of so long ago, or earlier; by the database's clock.
 *
 * @throws KpiError
 */
export function silentWorkers(database: Database, afterSeconds: number): Promise<SilentWorker[]> {
  return database.query<SilentWorker>({ name: 'silent-workers', text: silent, values: [afterSeconds] })
}

const silent = `
  SELECT worker_id AS "workerId", extract(epoch FROM now() - last_seen_at)::double precision AS "silentSeconds"
  FROM worker_status
  WHERE kind = 'consumer' AND stopped_at IS NULL AND last_seen_at < now() - make_interval(secs => $1)`
