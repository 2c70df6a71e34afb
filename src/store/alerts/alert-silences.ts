import type { Database } from '../client/connection.ts'

/** A row of `alert_silences`. */
export interface SilenceRow {
  readonly id: number
  readonly matchers: readonly { readonly name: string; readonly value: string }[]
  readonly comment: string
  readonly createdBy: string
  readonly createdAt: Date
  readonly expiresAt: Date
}

const columns = `
  id, matchers, comment, created_by AS "createdBy", created_at AS "createdAt", expires_at AS "expiresAt"`

/** Mutes what all matchers fit, from now on for a while, by the database's clock. */
export async function addSilence(
  database: Database,
  silence: Pick<SilenceRow, 'matchers' | 'comment' | 'createdBy'> & { readonly forMs: number },
): Promise<SilenceRow | undefined> {
  const [row] = await database.query<SilenceRow>({
    text: `INSERT INTO alert_silences (matchers, comment, created_by, expires_at)
      VALUES ($1, $2, $3, now() + make_interval(secs => $4)) RETURNING ${columns}`,
    values: [JSON.stringify(silence.matchers), silence.comment, silence.createdBy, silence.forMs / 1000],
  })
  return row
}

/** @returns Whether there was one that had not expired. */
export async function endSilence(database: Database, id: number): Promise<boolean> {
  const ended = await database.query({
    text: 'UPDATE alert_silences SET expires_at = now() WHERE id = $1 AND expires_at > now() RETURNING id',
    values: [id],
  })
  return ended.length > 0
}

/** Those that mute now, the first to expire first. */
export function listSilences(database: Pick<Database, 'query'>): Promise<SilenceRow[]> {
  return database.query<SilenceRow>({
    text: `SELECT ${columns} FROM alert_silences WHERE expires_at > now() ORDER BY expires_at`,
  })
}
