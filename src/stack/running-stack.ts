import { resolve } from 'node:path'
import type { Config } from '../config/load.ts'
import { startCommand } from '../config/start-command.ts'
import { KpiError, messageOf } from '../errors.ts'
import { placeOf, postgresOptions } from '../store/client/connection.ts'
import { defaultDataDir } from './data-dir.ts'
import { type Endpoints, readEndpoints } from './endpoints.ts'
import { upLockOwner } from './up-lock.ts'

/** The role that a command uses in the database of a running stack: the least privileged one that is sufficient. */
export type DatabaseAccess = 'reader' | 'pipeline' | 'owner'

/** The settings with which a command uses a running stack. */
export interface StackSettings {
  /** How to connect to its servers. These override the environment, which names no servers. */
  readonly servers: Readonly<Record<string, string>>
  /** The names of its topic and its group. The environment and files override these. */
  readonly names: Readonly<Record<string, string>>
  /** The file that contains these values. */
  readonly file: string
}

type Found =
  | { readonly state: 'running'; readonly endpoints: Endpoints }
  | { readonly state: 'starting' }
  | { readonly state: 'gone'; readonly pid: number }
  | { readonly state: 'none' }

/**
 * Finds the stack that `up` runs in a data directory, for a command whose settings do not name all servers.
 *
 * A server that the settings name must be the one that the stack uses, so that a command never combines the broker of
 * one pipeline with the database of another.
 *
 * @param named - The settings without a stack.
 * @returns undefined if the settings name both servers, or one that the stack does not use. If they name none, the
 *   reason why no server is known: `KPI_CONFIG_INVALID` when nothing runs in the data directory,
 *   `KPI_STACK_NOT_RUNNING` when the stack has ended or is not ready yet, `KPI_DATA_DIR_UNUSABLE`.
 */
export function findStackSettings(
  named: Config,
  { dataDir, access }: { dataDir: string; access: DatabaseAccess },
): StackSettings | KpiError | undefined {
  const namesKafka = named.kafkaBootstrapServers !== undefined
  const namesDatabase = named.databaseUrl !== undefined || named.postgresHost !== undefined
  if (namesKafka && namesDatabase) return undefined
  const found = findStack(dataDir)
  if (found instanceof KpiError || found.state !== 'running') {
    if (namesKafka || namesDatabase) return undefined
    return found instanceof KpiError ? found : notRunning(dataDir, found)
  }
  const { endpoints } = found
  if (namesKafka && named.kafkaBootstrapServers !== endpoints.kafka) return undefined
  if (namesDatabase && placeOf(postgresOptions(named)) !== placeOfUrl(named, endpoints.postgres)) return undefined
  return {
    servers: { ...(namesKafka ? {} : kafkaOf(endpoints)), ...(namesDatabase ? {} : databaseOf(endpoints, access)) },
    names: { KAFKA_TOPIC: endpoints.topic, KAFKA_GROUP: endpoints.group },
    file: `${dataDir}/endpoints.json`,
  }
}

function findStack(dataDir: string): Found | KpiError {
  try {
    const endpoints = readEndpoints(dataDir)
    const owner = upLockOwner(dataDir)
    if (!owner) return endpoints ? { state: 'gone', pid: endpoints.pid } : { state: 'none' }
    // An earlier `up` that was killed may have left its file, which does not describe the stack of this process.
    return endpoints?.pid === owner.pid ? { state: 'running', endpoints } : { state: 'starting' }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error
    return new KpiError('KPI_DATA_DIR_UNUSABLE', `the data directory ${dataDir} cannot be read: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

function notRunning(dataDir: string, found: Exclude<Found, { state: 'running' }>): KpiError {
  const folder = resolve(dataDir)
  const start = startCommand(dataDir === defaultDataDir ? undefined : dataDir)
  switch (found.state) {
    case 'none':
      return new KpiError(
        'KPI_CONFIG_INVALID',
        `no servers are named, and nothing runs in ${folder}: start the pipeline with '${start}', or name your servers in KAFKA_BOOTSTRAP_SERVERS and DATABASE_URL`,
      )
    case 'starting':
      return new KpiError(
        'KPI_STACK_NOT_RUNNING',
        `the pipeline in ${folder} is not ready: wait until 'up' prints its line 'ready'`,
      )
    case 'gone':
      return new KpiError(
        'KPI_STACK_NOT_RUNNING',
        `the pipeline in ${folder} does not run: its 'market-kpi up' (pid ${found.pid}) was killed; start it again with '${start}'`,
      )
  }
}

function placeOfUrl(named: Config, databaseUrl: string): string {
  return placeOf(postgresOptions({ ...named, databaseUrl }))
}

/** The embedded broker uses plain text, even if the settings name another protocol for other brokers. */
function kafkaOf({ kafka, pids }: Endpoints): Record<string, string> {
  const embedded: Record<string, string> = pids.kafka === undefined ? {} : { KAFKA_SECURITY_PROTOCOL: 'PLAINTEXT' }
  return { KAFKA_BOOTSTRAP_SERVERS: kafka, ...embedded }
}

function databaseOf(endpoints: Endpoints, access: DatabaseAccess): Record<string, string> {
  const { postgres: owner, postgresPipeline: pipeline = owner, postgresReader: reader = pipeline, pids } = endpoints
  const embedded: Record<string, string> = pids.postgres === undefined ? {} : { POSTGRES_SSLMODE: 'disable' }
  return {
    DATABASE_URL: { owner, pipeline, reader }[access],
    ...embedded,
    ...(access === 'pipeline' ? readerPasswordOf(endpoints) : {}),
  }
}

/** An alert evaluator uses the pipeline's role, and bi_reader for SQL rules. */
function readerPasswordOf({ postgresReader }: Endpoints): Record<string, string> {
  const { password = '' } = postgresReader === undefined ? {} : new URL(postgresReader)
  return password === '' ? {} : { BI_READER_PASSWORD: decodeURIComponent(password) }
}
