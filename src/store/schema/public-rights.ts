import pg from 'pg'

/** What creates large objects, or writes to them. */
const largeObjectFunctions = [
  'lo_creat',
  'lo_create',
  'lo_from_bytea',
  'lo_put',
  'lo_truncate',
  'lo_truncate64',
  'lowrite',
]

interface Held {
  readonly database: string
  readonly isTemporary: boolean
  readonly isCreate: boolean
  /** Signatures. */
  readonly functions: readonly string[]
  readonly ownsDatabase: boolean
  readonly ownsSchema: boolean
  readonly isSuperuser: boolean
}

/** What PUBLIC may do: only the rights that can fill the disk or block the pipeline. */
const held = `
  SELECT d.datname AS database,
    EXISTS (SELECT FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
      WHERE a.grantee = 0 AND a.privilege_type = 'TEMPORARY') AS "isTemporary",
    EXISTS (SELECT FROM aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
      WHERE a.grantee = 0 AND a.privilege_type = 'CREATE') AS "isCreate",
    ARRAY(SELECT p.oid::regprocedure::text FROM pg_proc p
      WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname = ANY ($1)
        AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee = 0)
      ORDER BY 1) AS functions,
    pg_has_role(d.datdba, 'USAGE') AS "ownsDatabase",
    pg_has_role(n.nspowner, 'USAGE') AS "ownsSchema",
    (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS "isSuperuser"
  FROM pg_database d, pg_namespace n WHERE d.datname = current_database() AND n.nspname = 'public'`

/**
 * Revokes from PUBLIC, in the pipeline's database, the rights that a role that only reads does not need: temporary tables, large objects,
 * and tables or functions of its own in the schema `public`. The pipeline keeps temporary tables, for rebuilds. What the
 * role that prepares the database may not take is left as it is; docs/operations.md names it.
 *
 * @returns What was done, one line each.
 */
export async function restrictPublic(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<Held>(held, [largeObjectFunctions])
  const now = rows[0]
  if (!now) return []
  const database = pg.escapeIdentifier(now.database)
  const done: string[] = []
  if (now.ownsDatabase) {
    await client.query(`GRANT TEMPORARY ON DATABASE ${database} TO bi_user`)
    if (now.isTemporary) {
      await client.query(`REVOKE TEMPORARY ON DATABASE ${database} FROM PUBLIC`)
      done.push('revoked from PUBLIC the right to create temporary tables')
    }
  }
  if (now.ownsSchema && now.isCreate) {
    await client.query('REVOKE CREATE ON SCHEMA public FROM PUBLIC')
    done.push("revoked from PUBLIC the right to create tables in the schema 'public'")
  }
  if (now.isSuperuser && now.functions.length > 0) {
    await client.query(`REVOKE EXECUTE ON FUNCTION ${now.functions.join(', ')} FROM PUBLIC`)
    done.push('revoked from PUBLIC the functions that create and write large objects')
  }
  return done
}
