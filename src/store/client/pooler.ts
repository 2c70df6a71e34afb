// A pooler such as PgBouncer may be placed in front of PostgreSQL. The pipeline needs sessions of its own: for settings,
// prepared statements, temporary tables and the evaluator's lock. PgBouncer gives one with pool_mode = session; with
// pool_mode = transaction the next statement may run in another session, which goes unnoticed until rows are wrong.
//
// 1. A pooler is detected by the process id: the one announced at the start of a connection (for cancelling) is not the one
//    that answers. PostgreSQL itself announces the real id; poolers announce a number of their own.
// 2. The mode is detected by a notification. This session listens to a channel, and then sends nothing more. A second one
//    notifies the channel. A session of our own receives that while it is idle. With any other mode the pooler has taken
//    the session back, and what comes from an idle server reaches no client. So a session is never taken for our own by
//    mistake, however busy the pooler is and whichever server it lends next.

import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { KpiError } from '../../errors.ts'
import { within } from '../../runtime/abort.ts'

/** What opens a second session the same way. */
interface SameWay {
  readonly place: string
  readonly config: pg.ClientConfig
}

/**
 * How often the channel is notified before the session counts as borrowed, and the pause after each. PostgreSQL needs a
 * millisecond; a machine that is paused delays the next notification as well.
 */
const notifications = 8
const pauseMs = 150
/** So long a proof holds for other connections to the same place: a pooler may be started again with another mode. */
const proofMs = 60_000

const provenAtMs = new Map<string, number>()

/**
 * Refuses a session that a pooler lends for a transaction at a time.
 *
 * @param answering - The server's process that answers this session.
 * @throws KpiError `KPI_POSTGRES_POOLED`.
 */
export async function refuseBorrowedSession(client: pg.Client, answering: number, way: SameWay): Promise<void> {
  if (toldPid(client) === answering) return
  const key = JSON.stringify([way.place, way.config.user])
  if (performance.now() - (provenAtMs.get(key) ?? Number.NEGATIVE_INFINITY) < proofMs) return
  if (!(await isOwnSession(client, way.config))) {
    throw new KpiError(
      'KPI_POSTGRES_POOLED',
      `PostgreSQL at ${way.place} is behind a pooler that does not keep a session for each connection: set 'pool_mode = session' there (PgBouncer), or connect to PostgreSQL directly`,
    )
  }
  provenAtMs.set(key, performance.now())
}

/** The process that the server named when the connection was made. */
function toldPid(client: pg.Client): number | null {
  return (client as pg.Client & { processID: number | null }).processID
}

async function isOwnSession(client: pg.Client, config: pg.ClientConfig): Promise<boolean> {
  const channel = `market_kpi_${randomBytes(12).toString('hex')}`
  try {
    await client.query(`LISTEN ${channel}`)
  } catch (error) {
    // A standby has no notifications, and nothing of the pipeline that writes works there anyway.
    if (error instanceof pg.DatabaseError && error.code === '25006') return true
    throw error
  }
  const received = Promise.withResolvers<void>()
  const note = (message: pg.Notification) => {
    if (message.channel === channel) received.resolve()
  }
  client.on('notification', note)
  try {
    return await notifyUntil(received.promise, channel, config)
  } finally {
    client.off('notification', note)
    await client.query(`UNLISTEN ${channel}`)
  }
}

/** @returns Whether the notification was received in time. */
async function notifyUntil(received: Promise<void>, channel: string, config: pg.ClientConfig): Promise<boolean> {
  const second = new pg.Client(config)
  second.on('error', () => undefined)
  const isReceived = received.then(() => true)
  try {
    await second.connect()
    for (let count = 0; count < notifications; count += 1) {
      await second.query('SELECT pg_catalog.pg_notify($1, $2)', [channel, ''])
      if (await within(pauseMs, isReceived)) return true
    }
    return false
  } finally {
    await second.end().catch(() => undefined)
  }
}
