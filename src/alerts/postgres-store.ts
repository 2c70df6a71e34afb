import { AlertSession, type AlertSessionOptions } from '../store/alerts/alert-session.ts'
import type { PostgresOptions } from '../store/client/connection.ts'
import type { AlertStore } from './alert-store.ts'
import { dispatchOf, episodeOf, notificationRowOf, rowOf, silenceOf } from './stored-rows.ts'

/** The alert store in PostgreSQL. Rows of another version that this one does not understand are left unchanged. */
export async function openPostgresStore(options: PostgresOptions, self: AlertSessionOptions): Promise<AlertStore> {
  const session = await AlertSession.open(options, self)
  return {
    takeLead: () => session.takeLead(),
    load: async () => {
      const { alerts, sending } = await session.load()
      return { episodes: alerts.flatMap(episodeOf), sending: sending.flatMap(dispatchOf) }
    },
    silences: async () => (await session.silences()).flatMap(silenceOf),
    save: ({ episodes, forgotten, dispatches }) =>
      session.save({ alerts: episodes.map(rowOf), forgotten, notifications: dispatches.map(notificationRowOf) }),
    close: () => session.close(),
  }
}
