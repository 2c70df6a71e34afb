import { KpiError } from '../../errors.ts'
import type { PostgresOptions } from '../client/connection.ts'
import { type Probe, withProbe } from '../client/probe.ts'
import { AlertSeat } from './alert-seat.ts'

/** A row of `alerts`. What only the evaluator makes sense of is in `progress`. */
export interface AlertRow {
  readonly id: string
  readonly fingerprint: string
  readonly rule: string
  readonly severity: string
  readonly stage: string
  readonly state: string
  readonly labels: Readonly<Record<string, string>>
  readonly summary: string
  readonly value: number | null
  readonly unit: string | null
  readonly startedAt: Date
  readonly firedAt: Date | null
  readonly resolvedAt: Date | null
  readonly inhibitedBy: string | null
  readonly progress: unknown
}

/** A row of `alert_notifications`. */
export interface NotificationRow {
  readonly id: string
  readonly receiver: string
  readonly reason: string
  readonly outcome: string
  readonly attempts: number
  readonly detail: string
  readonly alertIds: readonly string[]
  readonly body: unknown
  readonly sentAt: Date
}

const limits = { connectTimeoutMs: 2500, statementTimeoutMs: 2000, applicationName: 'market-kpi alerts' }
/** An evaluator that is paused, or whose machine is gone, loses its session and with it the lead. */
const idleTimeoutMs = 60_000
/** Three missed answers, 10 s apart: what a system waits by itself is two hours. */
const keepAlive = `SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3;
  SET idle_session_timeout = `
/** How long ended episodes are read by an evaluator that takes over: long enough to notify every end. */
const recentHours = 24
const maxLoaded = 4000
const keptDays = 90
const dayMs = 86_400_000

export const alertColumns = `
  id, fingerprint, rule, severity, stage, state, labels, summary, value, unit, started_at AS "startedAt",
  fired_at AS "firedAt", resolved_at AS "resolvedAt", inhibited_by AS "inhibitedBy", progress`

const saveAlerts = `
  INSERT INTO alerts (id, fingerprint, rule, severity, stage, state, labels, summary, value, unit, started_at, fired_at,
    resolved_at, inhibited_by, progress)
  SELECT r.id, r.fingerprint, r.rule, r.severity, r.stage, r.state, r.labels, r.summary, r.value, r.unit, r."startedAt",
    r."firedAt", r."resolvedAt", r."inhibitedBy", r.progress
  FROM jsonb_to_recordset($1) AS r(id uuid, fingerprint text, rule text, severity text, stage text, state text,
    labels jsonb, summary text, value double precision, unit text, "startedAt" timestamptz, "firedAt" timestamptz,
    "resolvedAt" timestamptz, "inhibitedBy" text, progress jsonb)
  ON CONFLICT (id) DO UPDATE SET severity = excluded.severity, stage = excluded.stage, state = excluded.state,
    summary = excluded.summary, value = excluded.value, unit = excluded.unit, fired_at = excluded.fired_at,
    resolved_at = excluded.resolved_at, inhibited_by = excluded.inhibited_by, progress = excluded.progress,
    updated_at = now()`

const saveNotifications = `
  INSERT INTO alert_notifications (id, receiver, reason, outcome, attempts, detail, alert_ids, body, sent_at)
  SELECT r.id, r.receiver, r.reason, r.outcome, r.attempts, r.detail,
    ARRAY(SELECT jsonb_array_elements_text(r."alertIds")::uuid), r.body, r."sentAt"
  FROM jsonb_to_recordset($1) AS r(id uuid, receiver text, reason text, outcome text, attempts integer, detail text,
    "alertIds" jsonb, body jsonb, "sentAt" timestamptz)
  ON CONFLICT (id) DO UPDATE SET
    outcome = excluded.outcome, attempts = excluded.attempts, detail = excluded.detail, updated_at = now()`

export interface AlertSessionOptions {
  /** The name of this evaluator in alert_leader. */
  readonly evaluator: string
  /** An evaluator that leads and does not renew its lead for so long is replaced by another. */
  readonly patienceMs: number
}

/**
 * The connection of one alert evaluator. It is the leader only while the connection lasts. Every statement has two seconds;
 * after one that failed for the connection's sake the session is over.
 */
export class AlertSession {
  readonly #probe: Probe
  readonly #closed: PromiseWithResolvers<void>
  readonly #ended: Promise<unknown>
  readonly #seat: AlertSeat
  #sweptAtMs = Number.NEGATIVE_INFINITY
  /** Ends with the transaction that was begun last. */
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(
    probe: Probe,
    seat: AlertSeat,
    { closed, ended }: { closed: PromiseWithResolvers<void>; ended: Promise<unknown> },
  ) {
    this.#probe = probe
    this.#seat = seat
    this.#closed = closed
    this.#ended = ended
  }

  /** @throws KpiError */
  static open(options: PostgresOptions, self: AlertSessionOptions): Promise<AlertSession> {
    const closed = Promise.withResolvers<void>()
    const opened = Promise.withResolvers<AlertSession>()
    const controller = new AbortController()
    const silence = new KpiError('KPI_POSTGRES_UNREACHABLE', 'PostgreSQL does not answer')
    const timer = setTimeout(() => controller.abort(silence), limits.connectTimeoutMs)
    const ended: Promise<unknown> = withProbe(options, limits, controller.signal, async (probe) => {
      await probe.query(`${keepAlive}${idleTimeoutMs}`)
      clearTimeout(timer)
      opened.resolve(new AlertSession(probe, new AlertSeat(probe, self), { closed, ended }))
      await closed.promise
    })
      .catch((error: unknown) => opened.reject(error))
      .finally(() => clearTimeout(timer))
    return opened.promise
  }

  /** Does not wait for it; when called again, checks that this session still holds it. */
  takeLead(): Promise<boolean> {
    return this.#inTurn(() => this.#seat.take())
  }

  /** Open episodes and those that ended lately; notifications whose end is not known. */
  async load(): Promise<{ alerts: AlertRow[]; sending: NotificationRow[] }> {
    const alerts = await this.#probe.query<AlertRow>(
      `SELECT ${alertColumns} FROM alerts
       WHERE state <> 'resolved' OR resolved_at > now() - make_interval(hours => $1)
       ORDER BY started_at DESC LIMIT $2`,
      [recentHours, maxLoaded],
    )
    const sending = await this.#probe.query<NotificationRow>(
      `SELECT id, receiver, reason, outcome, attempts, detail, alert_ids AS "alertIds", body, sent_at AS "sentAt"
       FROM alert_notifications WHERE outcome = 'sending' ORDER BY sent_at LIMIT $1`,
      [maxLoaded],
    )
    return { alerts, sending }
  }

  silences(): Promise<{ id: string; matchers: unknown; expiresAt: Date }[]> {
    return this.#probe.query(
      'SELECT id::text, matchers, expires_at AS "expiresAt" FROM alert_silences WHERE expires_at > now()',
    )
  }

  /** Writes all of it or nothing: nothing if another evaluator has taken the lead. */
  save(changes: {
    readonly alerts: readonly AlertRow[]
    /** Pending ones that came to nothing. */
    readonly forgotten: readonly string[]
    readonly notifications: readonly NotificationRow[]
  }): Promise<void> {
    return this.#inTurn(() => this.#saveAll(changes))
  }

  async #saveAll(changes: Parameters<AlertSession['save']>[0]): Promise<void> {
    await this.#probe.query('BEGIN')
    try {
      await this.#seat.assertHeld()
      if (changes.forgotten.length > 0) {
        const text = `DELETE FROM alerts WHERE id = ANY ($1::uuid[]) AND state = 'pending'`
        await this.#probe.query(text, [changes.forgotten])
      }
      if (changes.alerts.length > 0) await this.#probe.query(saveAlerts, [JSON.stringify(changes.alerts)])
      if (changes.notifications.length > 0) {
        await this.#probe.query(saveNotifications, [JSON.stringify(changes.notifications)])
      }
      await this.#sweep()
      await this.#probe.query('COMMIT')
    } catch (error) {
      await this.#probe.query('ROLLBACK').catch(() => undefined)
      throw error
    }
  }

  /** One transaction at a time, so that the evaluator and the sender need not coordinate. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  /** Once a day: what is older than a quarter of a year. */
  async #sweep(): Promise<void> {
    if (performance.now() - this.#sweptAtMs < dayMs) return
    const old = 'now() - make_interval(days => $1)'
    await this.#probe.query(`DELETE FROM alerts WHERE state = 'resolved' AND resolved_at < ${old}`, [keptDays])
    await this.#probe.query(`DELETE FROM alert_notifications WHERE sent_at < ${old}`, [keptDays])
    await this.#probe.query(`DELETE FROM alert_silences WHERE expires_at < ${old}`, [keptDays])
    this.#sweptAtMs = performance.now()
  }

  async close(): Promise<void> {
    this.#closed.resolve()
    await this.#ended
  }
}
