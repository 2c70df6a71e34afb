import { randomBytes } from 'node:crypto'
import { KpiError } from '../../errors.ts'
import type { Probe } from '../client/probe.ts'

/**
 * Whether the row's process lives as the pipeline's, still holds its lock, and was seen lately: within $1
 * milliseconds, or what it asked for itself when its own interval is longer.
 */
const hasLeader = `
  SELECT EXISTS (
    SELECT FROM alert_leader l
    JOIN pg_locks k ON k.locktype = 'advisory' AND k.granted AND k.pid = l.pid AND k.objsubid = 1
      AND (k.classid::bigint << 32) | k.objid::bigint = l.lock_key
    JOIN pg_database d ON d.oid = k.database AND d.datname = current_database()
    JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE has_table_privilege(a.usesysid, 'alert_leader', 'UPDATE')
      AND abs(extract(epoch FROM clock_timestamp() - l.seen_at)) * 1000 < greatest($1::integer, l.patience_ms)
  ) AS "hasLeader"`

/** Errors which show that this role or this schema cannot store a leader. */
const cannotKeep: readonly string[] = ['KPI_SCHEMA_MISSING', 'KPI_POSTGRES_RIGHTS']

/**
 * The lead among evaluators, stored in alert_leader. It is lost with the session, or to another evaluator when it was not
 * renewed in time. Where the table is missing or may not be written, an evaluator leads unless it sees another one: an alert
 * that comes twice is better than none.
 */
export class AlertSeat {
  readonly #probe: Probe
  readonly #evaluator: string
  /** A leader that has not renewed its lead for so long is replaced by another evaluator. */
  readonly #patienceMs: number
  /** Of the advisory lock; undefined before the first attempt. */
  #key: string | undefined
  #isHeld = false

  constructor(probe: Probe, options: { readonly evaluator: string; readonly patienceMs: number }) {
    this.#probe = probe
    this.#evaluator = options.evaluator
    this.#patienceMs = options.patienceMs
  }

  /** Takes the lead if no evaluator has it, or renews it. */
  async take(): Promise<boolean> {
    try {
      this.#isHeld = (await this.#renew()) || (await this.#claim())
      return this.#isHeld
    } catch (error) {
      this.#isHeld = false
      if (!(error instanceof KpiError && cannotKeep.includes(error.code))) throw error
      return !(await this.#seesLeader())
    }
  }

  /**
   * Within the transaction that writes: no other evaluator may have taken the lead, or take it before the transaction ends.
   *
   * @throws KpiError when another one has.
   */
  async assertHeld(): Promise<void> {
    if (!this.#isHeld) return
    const held = await this.#probe.query(
      'SELECT FROM alert_leader WHERE pid = pg_backend_pid() AND lock_key = $1::bigint FOR SHARE',
      [this.#key],
    )
    if (held.length === 0) throw new KpiError('KPI_POSTGRES_QUERY', 'another evaluator sends the alerts now')
  }

  async #renew(): Promise<boolean> {
    if (this.#key === undefined) return false
    const renewed = await this.#probe.query<{ seen: Date }>(
      `UPDATE alert_leader SET seen_at = clock_timestamp() WHERE pid = pg_backend_pid() AND lock_key = $1::bigint
       RETURNING seen_at AS seen`,
      [this.#key],
    )
    return renewed.length > 0
  }

  async #claim(): Promise<boolean> {
    await this.#takeKey()
    await this.#probe.query('BEGIN')
    try {
      await this.#probe.query('SELECT FROM alert_leader FOR UPDATE')
      const isFree = !(await this.#seesLeader())
      if (isFree) {
        await this.#probe.query(
          `UPDATE alert_leader SET pid = pg_backend_pid(), lock_key = $1::bigint, evaluator = $2,
             since = clock_timestamp(), seen_at = clock_timestamp(), patience_ms = $3`,
          [this.#key, this.#evaluator, this.#patienceMs],
        )
      }
      await this.#probe.query('COMMIT')
      return isFree
    } catch (error) {
      await this.#probe.query('ROLLBACK').catch(() => undefined)
      throw error
    }
  }

  /** A random key, so that no other session can have taken this lock before. */
  async #takeKey(): Promise<void> {
    if (this.#key !== undefined) return
    const key = randomBytes(8).readBigInt64BE().toString()
    const [row] = await this.#probe.query<{ got: boolean }>('SELECT pg_try_advisory_lock($1::bigint) AS got', [key])
    if (row?.got === true) this.#key = key
  }

  async #seesLeader(): Promise<boolean> {
    try {
      const [row] = await this.#probe.query<{ hasLeader: boolean }>(hasLeader, [this.#patienceMs])
      return row?.hasLeader === true
    } catch (error) {
      if (error instanceof KpiError && cannotKeep.includes(error.code)) return false
      throw error
    }
  }
}
