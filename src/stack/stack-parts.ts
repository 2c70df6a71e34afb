import type { Config } from '../config/load.ts'
import type { KafkaServer } from '../embedded/kafka/kafka-server.ts'
import { ownerRole, type PostgresServer, pipelineRole, readerRole } from '../embedded/postgres/postgres-server.ts'
import { type PostgresOptions, placeOf, postgresOptions } from '../store/client/connection.ts'
import type { RunningCommand } from './command-part.ts'
import type { Endpoints } from './endpoints.ts'
import type { ReportRow } from './stack-report.ts'

/**
 * The running parts of the stack. The addresses for child processes, for endpoints.json and for people are derived
 * from them.
 */
export interface StackParts {
  /** Undefined before the start, and if the environment names brokers. */
  kafka?: KafkaServer
  /** Undefined before the start, and if the environment names a server. */
  postgres?: PostgresServer
  feed?: RunningCommand | undefined
  /** Why there is no feed although one was requested. */
  feedFailure?: string
  alerts?: RunningCommand
  readonly workers: RunningCommand[]
}

/** Variables for a child process, which override its environment, `.env` and market-kpi.yaml. */
export type Environment = Readonly<Record<string, string>>

/** With its own broker nobody waits for a distant one: a killed worker's partitions are read again after seconds. */
const embeddedSessionSeconds = 6

/** The variables for connecting to Kafka; empty if the environment names brokers. */
export function kafkaEnvironment(parts: StackParts): Environment {
  if (!parts.kafka) return {}
  return {
    KAFKA_BOOTSTRAP_SERVERS: parts.kafka.bootstrap,
    KAFKA_SECURITY_PROTOCOL: 'PLAINTEXT',
    KAFKA_SESSION_TIMEOUT_SECONDS: String(embeddedSessionSeconds),
  }
}

/** The variables for connecting to PostgreSQL as the owner; empty if the environment names a server. */
export function ownerEnvironment(parts: StackParts): Environment {
  if (!parts.postgres) return {}
  return {
    DATABASE_URL: parts.postgres.url(ownerRole),
    POSTGRES_SSLMODE: 'disable',
    BI_USER_PASSWORD: parts.postgres.secrets.pipeline,
    BI_READER_PASSWORD: parts.postgres.secrets.reader,
  }
}

/** The variables for connecting to PostgreSQL as the pipeline's role; empty if the environment names a server. */
export function pipelineEnvironment(parts: StackParts): Environment {
  if (!parts.postgres) return {}
  return {
    DATABASE_URL: parts.postgres.url(pipelineRole),
    POSTGRES_SSLMODE: 'disable',
    BI_READER_PASSWORD: parts.postgres.secrets.reader,
  }
}

export function endpointsOf(parts: StackParts, config: Config): Endpoints {
  const reader = readerUrl(parts, config)
  return {
    pid: process.pid,
    kafka: parts.kafka?.bootstrap ?? config.kafkaBootstrapServers ?? '',
    topic: config.kafkaTopic,
    group: config.kafkaGroup,
    postgres: parts.postgres?.url(ownerRole) ?? urlOf(postgresOptions(config)),
    postgresPipeline: parts.postgres?.url(pipelineRole) ?? urlOf(postgresOptions(config)),
    ...(reader ? { postgresReader: reader } : {}),
    workers: parts.workers.flatMap(({ http }) => http ?? []),
    ...(parts.feed?.http ? { feed: parts.feed.http } : {}),
    ...(parts.feedFailure === undefined ? {} : { feedFailure: parts.feedFailure }),
    ...(parts.alerts?.http ? { alerts: parts.alerts.http } : {}),
    pids: {
      ...(parts.kafka ? { kafka: parts.kafka.pid } : {}),
      ...(parts.postgres ? { postgres: parts.postgres.pid } : {}),
      workers: parts.workers.map(({ pid }) => pid),
      ...(parts.alerts ? { alerts: parts.alerts.pid } : {}),
    },
  }
}

/** Undefined if the password of the read-only role is not known. */
export function readerUrl(parts: StackParts, config: Config): string | undefined {
  if (parts.postgres) return parts.postgres.url(readerRole)
  const password = config.readerRolePassword
  return password === undefined ? undefined : urlOf({ ...postgresOptions(config), user: readerRole, password })
}

/** The rows that `up` prints when everything runs. */
export function reportRows(parts: StackParts, config: Config, feed: string): ReportRow[] {
  const external = 'not ours: named by the environment'
  return [
    parts.kafka
      ? { what: 'Kafka', where: parts.kafka.bootstrap, note: `topic ${config.kafkaTopic}` }
      : { what: 'Kafka', where: config.kafkaBootstrapServers ?? '', note: external },
    parts.postgres
      ? { what: 'PostgreSQL', where: `127.0.0.1:${parts.postgres.port}`, note: `database ${config.postgresDb}` }
      : { what: 'PostgreSQL', where: placeOf(postgresOptions(config)), note: external },
    ...(parts.feed ? [{ what: 'feed', where: parts.feed.http ?? '', note: feed }] : []),
    ...(parts.feedFailure === undefined ? [] : [{ what: 'no feed', where: feed, note: parts.feedFailure }]),
    ...parts.workers.map(({ http }, index) => ({
      what: `worker ${index + 1}`,
      where: http ?? '',
      note: '/metrics /livez /readyz /health',
    })),
    ...(parts.alerts ? [{ what: 'alerts', where: parts.alerts.http ?? '', note: 'the same' }] : []),
  ]
}

function urlOf(options: PostgresOptions): string {
  const { host, port, database, user, password, sslMode, sslRootCert } = options
  const login = password === undefined ? user : `${encodeURIComponent(user)}:${encodeURIComponent(password)}`
  const name = host.includes(':') ? `[${host}]` : host
  const rootCert = sslRootCert === undefined ? '' : `&sslrootcert=${encodeURIComponent(sslRootCert)}`
  return `postgresql://${login}@${name}:${port}/${encodeURIComponent(database)}?sslmode=${sslMode}${rootCert}`
}
