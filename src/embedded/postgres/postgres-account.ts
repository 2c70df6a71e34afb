import { accessSync, chownSync, constants, readFileSync, realpathSync, statSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { KpiError } from '../../errors.ts'

/**
 * The account that PostgreSQL runs as. PostgreSQL refuses to run as root; in that case it runs as an unprivileged
 * system account. If that account cannot enter the folders it needs (a data directory below /root), the process gets
 * the one capability that allows it.
 */
export interface PostgresAccount {
  /** The command that starts a program as this account. */
  launch(program: string, args: readonly string[]): Launch
  /** Makes the account the owner of a file or folder. */
  own(path: string): void
}

export interface Launch {
  readonly command: string
  readonly args: readonly string[]
  readonly uid?: number
  readonly gid?: number
}

interface User {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/**
 * @param folders - The folders that the account must be able to enter.
 * @throws KpiError `KPI_DATA_DIR_UNUSABLE` if this process is root and no unprivileged account can enter them.
 */
export function postgresAccount(folders: readonly string[]): PostgresAccount {
  if (process.getuid?.() !== 0) return { launch: (command, args) => ({ command, args }), own: () => undefined }
  const user = unprivilegedUser()
  const own = (path: string) => chownSync(path, user.uid, user.gid)
  const closed = folders.map((folder) => closedFolder(folder, user)).find((folder) => folder !== undefined)
  if (closed === undefined) {
    return { launch: (command, args) => ({ command, args, uid: user.uid, gid: user.gid }), own }
  }
  const setpriv = inPath('setpriv')
  const capability = searchCapability()
  if (setpriv === undefined || capability === undefined) {
    throw new KpiError(
      'KPI_DATA_DIR_UNUSABLE',
      `PostgreSQL does not run as root, and the user '${user.name}' it gets instead cannot enter ${closed}: name a --data-dir elsewhere, run as an ordinary user, or 'chmod o+x ${closed}'`,
    )
  }
  const prefix = [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups']
  prefix.push(`--inh-caps=+${capability}`, `--ambient-caps=+${capability}`, '--')
  return { launch: (program, args) => ({ command: setpriv, args: [...prefix, program, ...args] }), own }
}

const nobody: User = { name: 'nobody', uid: 65_534, gid: 65_534 }

function unprivilegedUser(): User {
  let lines: string[] = []
  try {
    lines = readFileSync('/etc/passwd', 'utf8').split('\n')
  } catch {
    return nobody
  }
  for (const name of ['postgres', 'nobody']) {
    const fields = lines.find((line) => line.startsWith(`${name}:`))?.split(':')
    if (fields) return { name, uid: Number(fields[2]), gid: Number(fields[3]) }
  }
  return nobody
}

/** The first folder on the path that the user cannot enter, according to its mode. */
function closedFolder(folder: string, user: User): string | undefined {
  const closed: string[] = []
  for (let at = realpathSync(folder); ; at = dirname(at)) {
    const { mode, uid, gid } = statSync(at)
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001
    if ((mode & bit) === 0) closed.push(at)
    if (at === dirname(at)) return closed.at(-1)
  }
}

function inPath(program: string): string | undefined {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, program)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // This account does not exist; try the next one.
    }
  }
  return undefined
}

/** Capability numbers from linux/capability.h. */
const capDacOverride = 1n
const capDacReadSearch = 2n

/**
 * A capability that this process has and that allows entering any folder. The weaker one is preferred. Containers
 * often drop it.
 */
function searchCapability(): string | undefined {
  try {
    const held = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
    const mask = BigInt(`0x${held ?? '0'}`)
    if (mask & (1n << capDacReadSearch)) return 'dac_read_search'
    return mask & (1n << capDacOverride) ? 'dac_override' : undefined
  } catch {
    return undefined
  }
}
