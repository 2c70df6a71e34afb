import type pg from 'pg'
import { KpiError } from '../../errors.ts'
import type { Database } from '../client/connection.ts'

/** How kpi_market_prices is stored: as one table, or as one partition per month. */
export type Partitioning = 'none' | 'month'

/** Partitions are created so far ahead of the clock, at each `init` and each prune. */
const monthsAhead = 12
/** Of a fresh database, for what comes late. */
const monthsBehind = 1
const table = 'kpi_market_prices'

/**
 * Partitions kpi_market_prices by month while it has no rows, and creates the partitions of the months to come.
 *
 * @returns What was done, one line each.
 * @throws KpiError `KPI_PARTITIONS_NOT_POSSIBLE` when it has rows and no partitions.
 */
export async function partitionByMonth(client: pg.Client, place: string): Promise<string[]> {
  await client.query('BEGIN')
  try {
    const isNew = await partition(client, place)
    const { rows } = await client.query<{ name: string }>(addMonths, [monthsBehind, monthsAhead])
    await client.query('COMMIT')
    const [first, last] = [rows[0]?.name, rows.at(-1)?.name]
    const done = first === undefined ? [] : [`created the partitions ${first} to ${last}`]
    return isNew ? [`${table} is partitioned by month`, ...done] : done
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  }
}

/** Creates the partitions of the months to come, if the table is partitioned; the pipeline's role may do it. */
export async function addMonthsAhead(database: Database): Promise<void> {
  await database.query({ text: addMonths, values: [0, monthsAhead] })
}

const addMonths = `SELECT name FROM kpi_add_months(
  now() - make_interval(months => $1), now() + make_interval(months => $2)) AS name`

/** @returns false when it is partitioned already. */
async function partition(client: pg.Client, place: string): Promise<boolean> {
  const { rows } = await client.query<{ kind: string; storage: string }>(
    `SELECT relkind AS kind, array_to_string(reloptions, ', ') AS storage FROM pg_class WHERE oid = '${table}'::regclass`,
  )
  const { kind, storage } = rows[0] ?? { kind: '', storage: '' }
  if (kind === 'p') return false
  // While this session holds the lock, no session can insert a row.
  await client.query(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`)
  const some = await client.query(`SELECT FROM ${table} LIMIT 1`)
  if (some.rowCount !== 0) {
    throw new KpiError(
      'KPI_PARTITIONS_NOT_POSSIBLE',
      `${table} at ${place} has rows, and only an empty table can be partitioned by month: set KPI_PARTITION_BY=none, or use a new database and let a worker fill it from the log`,
    )
  }
  const views = await takeViews(client)
  await client.query(`
    ALTER TABLE ${table} RENAME TO ${table}_before;
    CREATE TABLE ${table} (LIKE ${table}_before INCLUDING ALL) PARTITION BY RANGE (window_start);
    DROP TABLE ${table}_before;
    CREATE TABLE ${table}_rest PARTITION OF ${table} DEFAULT WITH (${storage})`)
  for (const { name, text } of views) await client.query(`CREATE VIEW ${name} AS ${text}`)
  return true
}

/** Views depend on the table they read: they are dropped here, and created again later. */
async function takeViews(client: pg.Client): Promise<{ name: string; text: string }[]> {
  const { rows } = await client.query<{ name: string; text: string }>(
    `SELECT DISTINCT v.oid::regclass::text AS name, pg_get_viewdef(v.oid) AS text
     FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class v ON v.oid = r.ev_class
     WHERE d.classid = 'pg_rewrite'::regclass AND d.refobjid = '${table}'::regclass AND v.relkind = 'v'`,
  )
  for (const { name } of rows) await client.query(`DROP VIEW ${name}`)
  return rows
}
