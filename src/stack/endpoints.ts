import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readIfPresent } from './read-if-present.ts'

/** The content of DIR/endpoints.json: the addresses of everything that runs. */
export interface Endpoints {
  /** The process id of `up`. */
  readonly pid: number
  readonly kafka: string
  readonly topic: string
  readonly group: string
  /** Contains the owner's password. Only the owner of the file can read it. */
  readonly postgres: string
  /** For the role bi_user, which the workers use. */
  readonly postgresPipeline?: string
  /** For the role bi_reader, which may only read. */
  readonly postgresReader?: string
  readonly workers: readonly string[]
  readonly feed?: string
  /** Why there is no feed although `up` was asked to run one. */
  readonly feedFailure?: string
  /** The address of the alert evaluator. Its /metrics covers the whole pipeline. */
  readonly alerts?: string
  readonly pids: {
    readonly kafka?: number
    readonly postgres?: number
    readonly workers: readonly number[]
    readonly alerts?: number
  }
}

/** Replaces the file atomically, so that a reader gets either the old or the new content. */
export function writeEndpoints(dataDir: string, endpoints: Endpoints): void {
  writePrivate(join(dataDir, 'endpoints.json'), `${JSON.stringify(endpoints, undefined, 2)}\n`)
}

/** @returns undefined if the file does not exist, or was not written by market-kpi. */
export function readEndpoints(dataDir: string): Endpoints | undefined {
  const text = readIfPresent(join(dataDir, 'endpoints.json'))
  if (text === undefined) return undefined
  try {
    const found = JSON.parse(text) as Partial<Endpoints> | null
    const texts = [found?.kafka, found?.topic, found?.group, found?.postgres]
    const isOurs = typeof found?.pid === 'number' && typeof found.pids === 'object' && texts.every(isText)
    return isOurs ? (found as Endpoints) : undefined
  } catch {
    return undefined
  }
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

/** Writes DIR/env, the same for a shell. After `. DIR/env`, the commands of market-kpi and psql find the servers. */
export function writeShellEnvironment(dataDir: string, variables: Readonly<Record<string, string>>): void {
  const lines = Object.entries(variables).map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'`)
  writePrivate(join(dataDir, 'env'), `${lines.join('\n')}\n`)
}

export function removeEndpoints(dataDir: string): void {
  for (const name of ['endpoints.json', 'env']) rmSync(join(dataDir, name), { force: true })
}

function writePrivate(path: string, text: string): void {
  const draft = `${path}.new`
  rmSync(draft, { force: true })
  writeFileSync(draft, text, { mode: 0o600 })
  renameSync(draft, path)
}
