import type { Database } from './connection.ts'

/** A worker that ended, or froze, without a word. */
export interface SilentWorker {
  readonly workerId: string
  readonly silentSeconds: number
  readonly groupMember: { readonly protocol: 'consumer' | 'classic'; readonly memberId: string }
}

/**
 * Workers that have not been heard of for so long, and were in the group then; by the database's clock.
 *
 * @throws KpiError
 */
export function silentWorkers(database: Database, afterSeconds: number): Promise<SilentWorker[]> {
  return database.query<SilentWorker>({ name: 'silent-workers', text: silent, values: [afterSeconds] })
}

/** Its membership is over; a worker that lives writes its own again. @throws KpiError */
export async function noteNoMember(database: Database, { workerId, groupMember }: SilentWorker): Promise<void> {
  await database.query({ name: 'no-member', text: forget, values: [workerId, groupMember.memberId] })
}

const silent = `
  SELECT worker_id AS "workerId", detail->'groupMember' AS "groupMember",
    extract(epoch FROM now() - last_seen_at)::double precision AS "silentSeconds"
  FROM worker_status
  WHERE kind = 'consumer' AND stopped_at IS NULL AND last_seen_at < now() - make_interval(secs => $1)
    AND detail->'groupMember'->>'memberId' <> ''`

const forget = `
  UPDATE worker_status SET detail = detail - 'groupMember'
  WHERE worker_id = $1 AND detail->'groupMember'->>'memberId' = $2`
