import pg from 'pg'
import { clientConfig, type PostgresOptions, settleSslMode } from '../client/connection.ts'
import { isVerifierOf } from './scram-verifier.ts'

/**
 * Whether a role has this password already. Where its verifier may not be read, which takes a superuser, by logging in.
 *
 * @param client - Of whoever prepares the database.
 */
export async function hasPassword(
  client: pg.Client,
  options: PostgresOptions,
  login: { readonly role: string; readonly password: string },
): Promise<boolean> {
  const { rows: rights } = await client.query<{ readable: boolean }>(
    `SELECT has_column_privilege('pg_catalog.pg_authid', 'rolpassword', 'SELECT') AS readable`,
  )
  if (!rights[0]?.readable) return logsIn(options, login)
  const { rows } = await client.query<{ verifier: string | null }>(
    'SELECT rolpassword AS verifier FROM pg_catalog.pg_authid WHERE rolname = $1 AND rolcanlogin',
    [login.role],
  )
  return isVerifierOf(rows[0]?.verifier ?? '', login.password)
}

/** Only a login for which the server has checked the password counts: some servers accept any login. */
async function logsIn(
  options: PostgresOptions,
  { role, password }: { role: string; password: string },
): Promise<boolean> {
  const settled = await settleSslMode({ ...options, user: role, password }).catch(() => undefined)
  if (settled === undefined) return false
  const client = new pg.Client(clientConfig(settled, 'market-kpi init'))
  let isChecked = false
  client.connection.once('authenticationSASLFinal', () => {
    isChecked = true
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    // A pooler checks by its own list, and logs in to the server only now.
    await client.query('SELECT 1')
    return isChecked
  } catch {
    return false
  } finally {
    await client.end().catch(() => undefined)
  }
}
