import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from '#kafka-protocol'
import type { Config } from '../../config/load.ts'
import { KpiError, messageOf } from '../../errors.ts'

/** How to connect to the brokers. */
export interface KafkaOptions {
  /** `HOST:PORT`, at least one. */
  readonly bootstrap: readonly string[]
  /** Appears in the brokers' logs and quotas. */
  readonly clientId: string
  readonly tls?: NonNullable<ConnectionOptions['tls']>
  readonly sasl?: NonNullable<ConnectionOptions['sasl']>
  /** @defaultValue 5000 */
  readonly connectTimeoutMs?: number
  /** Must exceed the longest time that a request lets a broker wait. @defaultValue 30000 */
  readonly requestTimeoutMs?: number
}

/**
 * Converts the Kafka section of the configuration to connection options.
 *
 * @throws KpiError `KPI_CONFIG_INVALID` when no broker is configured, a PEM file cannot be read or credentials are
 *   incomplete.
 */
export function kafkaOptions(config: Config, clientId: string): KafkaOptions {
  if (config.kafkaBootstrapServers === undefined) {
    if (config.missingServers) throw config.missingServers
    throw new KpiError(
      'KPI_CONFIG_INVALID',
      'KAFKA_BOOTSTRAP_SERVERS is not set: name the brokers as HOST:PORT, or no server at all to use those of a running `up`',
    )
  }
  const protocol = config.kafkaSecurityProtocol
  return {
    bootstrap: config.kafkaBootstrapServers.split(','),
    clientId,
    ...(protocol.endsWith('SSL') ? { tls: tlsOptions(config) } : {}),
    ...(protocol.startsWith('SASL') ? { sasl: saslOptions(config) } : {}),
  }
}

function tlsOptions(config: Config): NonNullable<ConnectionOptions['tls']> {
  return {
    ...(config.kafkaSslCa ? { ca: readPem('KAFKA_SSL_CA', config.kafkaSslCa) } : {}),
    ...(config.kafkaSslCert ? { cert: readPem('KAFKA_SSL_CERT', config.kafkaSslCert) } : {}),
    ...(config.kafkaSslKey ? { key: readPem('KAFKA_SSL_KEY', config.kafkaSslKey) } : {}),
  }
}

function readPem(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new KpiError('KPI_CONFIG_INVALID', `${name}=${path}: ${messageOf(error)}`, { cause: error })
  }
}

function saslOptions(config: Config): NonNullable<ConnectionOptions['sasl']> {
  const { kafkaSaslUsername: username, kafkaSaslPassword: password } = config
  if (username === undefined || password === undefined) {
    throw new KpiError(
      'KPI_CONFIG_INVALID',
      `KAFKA_SECURITY_PROTOCOL=${config.kafkaSecurityProtocol}: needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD`,
    )
  }
  return { mechanism: config.kafkaSaslMechanism, username, password }
}
