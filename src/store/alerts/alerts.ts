import type { Database } from '../client/connection.ts'
import { type AlertRow, alertColumns } from './alert-session.ts'

/** Alerts that are pending or fire now, worst first. */
export function listOpenAlerts(database: Pick<Database, 'query'>): Promise<AlertRow[]> {
  return database.query<AlertRow>({
    text: `SELECT ${alertColumns} FROM alerts WHERE state <> 'resolved'
      ORDER BY array_position(ARRAY['critical', 'warning', 'info'], severity), started_at`,
  })
}

/** The rules of all episodes that are kept, and the names of their labels. */
export async function knownRulesAndLabels(
  database: Pick<Database, 'query'>,
): Promise<{ rules: string[]; labels: string[] }> {
  const rows = await database.query<{ rule: string; labels: string[] | null }>({
    text: `SELECT rule, array_agg(DISTINCT name) FILTER (WHERE name IS NOT NULL) AS labels
      FROM alerts LEFT JOIN LATERAL jsonb_object_keys(labels) AS name ON true GROUP BY rule`,
  })
  return { rules: rows.map(({ rule }) => rule), labels: rows.flatMap(({ labels }) => labels ?? []) }
}

/** Episodes that have fired, the newest first; including those that still last. */
export function listAlertHistory(
  database: Database,
  { since, limit }: { readonly since: Date; readonly limit: number },
): Promise<AlertRow[]> {
  return database.query<AlertRow>({
    text: `SELECT ${alertColumns} FROM alerts WHERE fired_at IS NOT NULL AND (resolved_at IS NULL OR resolved_at >= $1)
      ORDER BY fired_at DESC LIMIT $2`,
    values: [since, limit],
  })
}
