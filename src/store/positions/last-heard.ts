import type { Database } from '../client/connection.ts'

/**
 * How many seconds ago each worker was last seen, by the database's clock; workers that ended are included until their rows
 * are deleted.
 *
 * @throws KpiError
 */
export async function lastHeardSeconds(database: Database): Promise<ReadonlyMap<string, number>> {
  const rows = await database.query<{ workerId: string; seconds: number }>({ name: 'last-heard', text: lastHeard })
  return new Map(rows.map(({ workerId, seconds }) => [workerId, seconds]))
}

const lastHeard = `
  SELECT worker_id AS "workerId", extract(epoch FROM now() - last_seen_at)::double precision AS seconds
  FROM worker_status
  WHERE kind = 'consumer'`
