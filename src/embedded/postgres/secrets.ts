import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { KpiError } from '../../errors.ts'

/** The passwords of the roles of the embedded PostgreSQL. */
export interface Secrets {
  /** The password of `market_kpi_owner`, which owns the schema. */
  readonly owner: string
  /** The password of `bi_user`, the role of the pipeline. */
  readonly pipeline: string
  /** The password of `bi_reader`, which is read-only. */
  readonly reader: string
}

/**
 * Reads DIR/secrets.json, which only its owner can read. The first call creates it.
 *
 * @throws KpiError `KPI_DATA_DIR_UNUSABLE` if the file is damaged, or is missing although the database that needs it
 *   exists.
 */
export function loadSecrets(dataDir: string): Secrets {
  const path = join(dataDir, 'secrets.json')
  if (existsSync(path)) return readSecrets(path)
  if (existsSync(join(dataDir, 'postgres'))) {
    throw new KpiError(
      'KPI_DATA_DIR_UNUSABLE',
      `${path} is missing, so nobody can log in to the database beside it: bring it back, or name another --data-dir`,
    )
  }
  const secrets: Secrets = { owner: newPassword(), pipeline: newPassword(), reader: newPassword() }
  writeFileSync(`${path}.new`, `${JSON.stringify(secrets)}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
  return secrets
}

function readSecrets(path: string): Secrets {
  try {
    const { owner, pipeline, reader } = JSON.parse(readFileSync(path, 'utf8')) as Partial<Secrets>
    if (owner && pipeline && reader) return { owner, pipeline, reader }
  } catch {
    // Reported below: unreadable and incomplete files have the same solution.
  }
  throw new KpiError('KPI_DATA_DIR_UNUSABLE', `${path} cannot be read: bring it back, or name another --data-dir`)
}

function newPassword(): string {
  return randomBytes(24).toString('base64url')
}
