import { readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runner } from 'node-pg-migrate'
import pg from 'pg'
import { assert, KpiError } from '../../errors.ts'
import { type PostgresOptions, placeOf, withClient } from '../client/connection.ts'
import { withPatientClient } from '../client/lock-wait.ts'
import { type Partitioning, partitionByMonth } from '../windows/partitions.ts'
import { assertSameDefinition, type Definition, selectDefinition } from './definition.ts'
import { restrictPublic } from './public-rights.ts'
import { hasPassword } from './role-password.ts'
import { scramVerifier } from './scram-verifier.ts'

/** Migrations are in the package's root, beside `src` in a clone and beside `dist` in the package. */
const migrationsDirectory = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'migrations')
export const migrationsTable = 'kpi_migrations'

/** 16 is the oldest version the tests have run on. */
const oldestVersion = 16

/** The roles beside the owner; group roles without a login when no password is given. */
export interface RolePasswords {
  readonly bi_user?: string | undefined
  readonly bi_reader?: string | undefined
}

const roleNames = ['bi_user', 'bi_reader'] as const satisfies readonly (keyof RolePasswords)[]

const grants: Record<keyof RolePasswords, string> = {
  bi_user: `
    GRANT USAGE ON SCHEMA public TO bi_user;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO bi_user;
    REVOKE INSERT, UPDATE, DELETE ON ${migrationsTable}, kpi_definition FROM bi_user;
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO bi_user`,
  bi_reader: `
    GRANT USAGE ON SCHEMA public TO bi_reader;
    GRANT SELECT ON ALL TABLES IN SCHEMA public TO bi_reader`,
}

/**
 * Creates or upgrades database, schema and roles. Safe to repeat, and from several places at once.
 *
 * @param partitionBy - `none` leaves a table of months what it is.
 * @returns What was done, one line each; empty when nothing was missing.
 * @throws KpiError `KPI_POSTGRES_TOO_OLD`, `KPI_POSTGRES_RIGHTS`, and those of a connection.
 */
export async function prepareSchema(
  options: PostgresOptions,
  passwords: RolePasswords,
  partitionBy: Partitioning = 'none',
): Promise<string[]> {
  const done = await createDatabase(options)
  return withPatientClient(options, async (client) => {
    const place = placeOf(options)
    await checkVersion(client, place)
    if (await isBehind(client)) await checkRights(client, place)
    const { owns } = await standingOf(client)
    const prepareRoles = async () => {
      for (const role of roleNames) done.push(...(await prepareRole(client, options, role, passwords[role])))
    }
    // A user of a prepared database, such as `up` with the pipeline's login, has nothing to grant.
    if (!owns) {
      await prepareRoles()
      return done
    }
    await ensureMigrationsTable(client)
    await alone(options, async () => {
      if (await isBehind(client)) done.push(...(await migrate(client)))
      if (partitionBy === 'month') done.push(...(await partitionByMonth(client, place)))
      await prepareRoles()
      for (const role of roleNames) await client.query(grants[role])
      done.push(...(await restrictPublic(client)))
    })
    return done
  })
}

/** As node-pg-migrate makes it. Of two at once one may find that the other has just made it. */
async function ensureMigrationsTable(client: pg.Client): Promise<void> {
  await client
    .query(
      `CREATE TABLE IF NOT EXISTS public.${migrationsTable} (
         id serial PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL)`,
    )
    .catch(ignore('23505', '42P07', '42710'))
}

/**
 * Only one process at a time prepares a database. The lock is on a table, so that only its owner can take it; any role could
 * hold an advisory lock. It conflicts only with itself, and a separate connection holds it, since the work consists of several
 * transactions.
 */
async function alone(options: PostgresOptions, work: () => Promise<void>): Promise<void> {
  let failure: { readonly error: unknown } | undefined
  await withPatientClient(options, async (guard) => {
    await guard.query('BEGIN')
    await guard.query(`LOCK TABLE public.${migrationsTable} IN SHARE UPDATE EXCLUSIVE MODE`)
    // What fails here failed on another connection, which knows whom it waited for.
    await work().catch((error: unknown) => {
      failure = { error }
    })
    await guard.query('COMMIT')
  })
  if (failure) throw failure.error
}

/** Whether a migration is missing. Checked first, since the tool that applies them needs an owner's rights even when none is missing. */
async function isBehind(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ there: boolean }>(
    `SELECT to_regclass('public.${migrationsTable}') IS NOT NULL AS there`,
  )
  if (!rows[0]?.there) return true
  const applied = await client.query<{ name: string }>(`SELECT name FROM public.${migrationsTable}`)
  const names = new Set(applied.rows.map(({ name }) => name))
  return knownMigrations().some((name) => !names.has(name))
}

/** The migrations of this version, in their order. */
export function knownMigrations(): string[] {
  const files = readdirSync(migrationsDirectory).filter((file) => file.endsWith('.sql'))
  return files.map((file) => basename(file, '.sql')).sort()
}

interface Standing {
  readonly role: string
  readonly mayCreate: boolean
  /** Whether the tables are this role's; true where there are none yet. */
  readonly owns: boolean
}

async function standingOf(client: pg.Client): Promise<Standing> {
  const { rows } = await client.query<Standing>(
    `SELECT current_user AS role, has_schema_privilege('public', 'CREATE') AS "mayCreate",
       coalesce((SELECT pg_has_role(relowner, 'USAGE') FROM pg_class
         WHERE oid = to_regclass('public.${migrationsTable}')), true) AS owns`,
  )
  assert(rows[0], 'a query without a table has one row')
  return rows[0]
}

async function checkRights(client: pg.Client, place: string): Promise<void> {
  const { role, mayCreate, owns } = await standingOf(client)
  if (mayCreate && owns) return
  const lacks = mayCreate ? 'does not own the tables' : "may not create tables in the schema 'public'"
  throw new KpiError(
    'KPI_POSTGRES_RIGHTS',
    `PostgreSQL at ${place}: the role '${role}' ${lacks}; let its owner run 'market-kpi init'`,
  )
}

async function createDatabase(options: PostgresOptions): Promise<string[]> {
  try {
    await withClient(options, async () => undefined)
    return []
  } catch (error) {
    if (!(error instanceof KpiError && error.code === 'KPI_DATABASE_MISSING')) throw error
  }
  await withClient({ ...options, database: 'postgres' }, async (client) => {
    // Any role may connect to template1, and while a session is connected no database can be created from it.
    const text = `CREATE DATABASE ${pg.escapeIdentifier(options.database)} TEMPLATE template0`
    await client.query(text).catch((error: unknown) => {
      const made = error instanceof pg.DatabaseError && (error.code === '42P04' || error.code === '23505')
      if (!made) throw error
    })
  })
  return [`created the database '${options.database}'`]
}

async function checkVersion(client: pg.Client, place: string): Promise<void> {
  const { rows } = await client.query<{ server_version: string }>('SHOW server_version')
  const version = rows[0]?.server_version ?? '0'
  if (isNewEnough(version)) return
  throw new KpiError(
    'KPI_POSTGRES_TOO_OLD',
    `PostgreSQL at ${place} is ${version}: market-kpi needs ${oldestVersion} or newer`,
  )
}

/** Of `16.4`, `17.2 (Debian 17.2-1)`, `18beta1`; before 10 the first two numbers were the version. */
export function isNewEnough(serverVersion: string): boolean {
  return Number.parseInt(serverVersion, 10) >= oldestVersion
}

async function migrate(client: pg.Client): Promise<string[]> {
  const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
  const applied = await runner({
    dbClient: client,
    dir: migrationsDirectory,
    direction: 'up',
    migrationsTable,
    schema: 'public',
    checkOrder: true,
    singleTransaction: true,
    // Its lock is an advisory one, which any role can hold; see alone().
    noLock: true,
    logger: silent,
  })
  return applied.map((migration) => `applied the migration ${migration.name}`)
}

async function prepareRole(
  client: pg.Client,
  options: PostgresOptions,
  role: keyof RolePasswords,
  password: string | undefined,
): Promise<string[]> {
  const { rows } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [role])
  // Two at once may both find it missing: the second one's failure says so, and is no failure.
  if (rows.length === 0) {
    await client.query(`CREATE ROLE ${role} ${login(password)}`).catch(ignore('42710', '23505'))
    return [`created the role '${role}'${password === undefined ? ', without a login: give it a password' : ''}`]
  }
  if (password === undefined || (await hasPassword(client, options, { role, password }))) return []
  await client.query(`ALTER ROLE ${role} ${login(password)}`).catch(ignore('XX000'))
  return [`set the password of the role '${role}'`]
}

/** The password itself never leaves this process: statements that set one are written to the server's log. */
function login(password: string | undefined): string {
  return password === undefined ? 'NOLOGIN' : `LOGIN PASSWORD ${pg.escapeLiteral(scramVerifier(password))}`
}

function ignore(...states: string[]): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof pg.DatabaseError && states.includes(error.code ?? ''))) throw error
  }
}

/** Records what this database holds, or checks that it is the same. */
export async function recordDefinition(options: PostgresOptions, wanted: Definition): Promise<string[]> {
  return withPatientClient(options, async (client) => {
    if (await holds(client, wanted, placeOf(options))) return []
    const inserted = await client.query(
      `INSERT INTO kpi_definition (cluster_id, topic, topic_id, consumer_group, window_seconds,
         allowed_lateness_seconds, max_future_seconds, decimals)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (only_one) DO NOTHING`,
      definitionValues(wanted),
    )
    if (inserted.rowCount === 1)
      return [`the database now holds topic '${wanted.topic}', windows of ${wanted.windowSeconds} s`]
    await holds(client, wanted, placeOf(options))
    return []
  })
}

/** @returns false when nothing is recorded yet. */
async function holds(client: pg.Client, wanted: Definition, place: string): Promise<boolean> {
  const { rows } = await client.query<Definition>(selectDefinition)
  const held = rows[0]
  if (held) assertSameDefinition(held, wanted, place)
  return held !== undefined
}

/** In the order of the columns that {@link recordDefinition} and the new-topic statement name. */
function definitionValues(d: Definition): unknown[] {
  return [
    d.clusterId,
    d.topic,
    d.topicId,
    d.consumerGroup,
    d.windowSeconds,
    d.allowedLatenessSeconds,
    d.maxFutureSeconds,
    d.decimals,
  ]
}

/**
 * Accepts a topic that was deleted and created again: rows and letters of the old one are archived under its id, the
 * positions go, and the next worker starts at the new topic's earliest offset. One transaction, which begins with the
 * locks a commit takes, so that no worker can slip in between.
 */
export async function acceptNewTopic(options: PostgresOptions, wanted: Definition): Promise<string[]> {
  return withPatientClient(options, async (client) => {
    await client.query('BEGIN')
    const { rows } = await client.query<Definition>(`${selectDefinition} FOR UPDATE`)
    const held = rows[0]
    if (!held || held.topicId === wanted.topicId) {
      await client.query('ROLLBACK')
      return []
    }
    assertSameDefinition({ ...held, topicId: wanted.topicId, clusterId: wanted.clusterId }, wanted, placeOf(options))
    await client.query('SELECT FROM kpi_consumer_offsets ORDER BY partition FOR UPDATE')
    const moved = await client.query(
      `INSERT INTO kpi_archived_prices (topic_id, row_data) SELECT $1, to_jsonb(k) FROM kpi_market_prices k`,
      [held.topicId],
    )
    await client.query(
      `INSERT INTO kpi_archived_letters (topic_id, letter) SELECT $1, to_jsonb(l) FROM dead_letters l`,
      [held.topicId],
    )
    await client.query(
      `DELETE FROM kpi_market_prices; DELETE FROM dead_letters; DELETE FROM kpi_gaps; DELETE FROM kpi_consumer_offsets;
       DELETE FROM kpi_earlier_rows; DELETE FROM kpi_pruned; INSERT INTO kpi_pruned DEFAULT VALUES; DELETE FROM kpi_definition`,
    )
    await client.query(
      `INSERT INTO kpi_definition (cluster_id, topic, topic_id, consumer_group, window_seconds,
         allowed_lateness_seconds, max_future_seconds, decimals) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      definitionValues(wanted),
    )
    await client.query('COMMIT')
    return [`archived ${moved.rowCount} rows under the old topic id ${held.topicId}; starting with ${wanted.topicId}`]
  })
}
