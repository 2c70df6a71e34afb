import { type AlertRow, alertColumns } from './alert-session.ts'
import type { Database } from './connection.ts'

/** Alerts that are pending or fire now, worst first. */
export function listOpenAlerts(database: Pick<Database, 'query'>): Promise<AlertRow[]> {
  return database.query<AlertRow>({
    text: `SELECT ${alertColumns} FROM alerts WHERE state <> 'resolved'
      ORDER BY array_position(ARRAY['critical', 'warning', 'info'], severity), started_at`,
  })
}

/** Episodes that have fired, the newest first; those that go on too. */
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
