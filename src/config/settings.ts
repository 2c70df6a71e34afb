import { logFormats, logLevels } from '../log.ts'
import { notifierSettings } from './notifier-settings.ts'
import { choice, decimal, optionalText, type Setting, text, whole } from './setting.ts'
import { thresholdSettings } from './threshold-settings.ts'

/** 1 to 65535. */
const port = /0*(?:[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])/.source
const webAddress = /^https?:\/\/[^\s/?#]\S*$/
const hostPorts = new RegExp(`^[^\\s,:]+:${port}(,[^\\s,:]+:${port})*$`)
/** Kafka refuses `.` and `..`, because it uses the name of a topic as the name of a directory. */
const topicName = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/
/** The same syntax as `ageOption` of the command line. */
const age = /^0*[1-9]\d{0,8}[smhd]$/
const securityProtocols = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const
const saslMechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const
const sslModes = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const

/** Every setting of market-kpi, in the order in which the documentation lists them. */
export const settings = {
  kafkaBootstrapServers: optionalText({
    env: 'KAFKA_BOOTSTRAP_SERVERS',
    flag: '--bootstrap-servers HOST:PORT,…',
    pattern: hostPorts,
    allowed: 'HOST:PORT, several separated by commas',
    description: 'addresses of brokers to connect to first; if it is not set, `up` starts its own broker',
  }),
  kafkaTopic: text({
    env: 'KAFKA_TOPIC',
    flag: '--topic NAME',
    default: 'market-prices',
    pattern: topicName,
    allowed: 'a Kafka topic name',
    description: 'topic of the price messages',
  }),
  kafkaPartitions: whole({
    env: 'KAFKA_PARTITIONS',
    min: 1,
    max: 10_000,
    default: 3,
    description: 'number of partitions if the topic is created',
  }),
  kafkaReplicationFactor: whole({
    env: 'KAFKA_REPLICATION_FACTOR',
    min: -1,
    max: 32,
    default: -1,
    description: "replicas of each partition if the topic is created; -1 means the brokers' default",
  }),
  kafkaGroup: text({
    env: 'KAFKA_GROUP',
    flag: '--group NAME',
    default: 'market-kpi-processor',
    description: 'consumer group of the workers',
  }),
  kafkaSessionTimeoutSeconds: whole({
    env: 'KAFKA_SESSION_TIMEOUT_SECONDS',
    min: 1,
    max: 1800,
    default: 45,
    description:
      'how long a dead worker keeps its partitions; the brokers allow 6 to 1800 by default. `up` with its own broker uses 6',
  }),
  kafkaSecurityProtocol: choice({
    env: 'KAFKA_SECURITY_PROTOCOL',
    of: securityProtocols,
    default: 'PLAINTEXT',
    description: 'protocol of the connections to the brokers',
  }),
  kafkaSaslMechanism: choice({
    env: 'KAFKA_SASL_MECHANISM',
    of: saslMechanisms,
    default: 'PLAIN',
    description: 'login method for SASL_PLAINTEXT and SASL_SSL',
  }),
  kafkaSaslUsername: optionalText({ env: 'KAFKA_SASL_USERNAME', description: 'user name for SASL' }),
  kafkaSaslPassword: optionalText({ env: 'KAFKA_SASL_PASSWORD', secret: true, description: 'password for SASL' }),
  kafkaSslCa: optionalText({
    env: 'KAFKA_SSL_CA',
    allowed: 'a PEM file',
    description: 'certificate authorities to trust',
  }),
  kafkaSslCert: optionalText({ env: 'KAFKA_SSL_CERT', allowed: 'a PEM file', description: 'client certificate' }),
  kafkaSslKey: optionalText({
    env: 'KAFKA_SSL_KEY',
    allowed: 'a PEM file',
    description: 'private key of the client certificate',
  }),
  databaseUrl: optionalText({
    env: 'DATABASE_URL',
    pattern: /^postgres(ql)?:\/\/\S+$/,
    allowed: 'postgresql://USER:PASSWORD@HOST:PORT/DATABASE',
    secret: true,
    description: 'database as one URL; takes precedence over the POSTGRES_* settings',
  }),
  postgresHost: optionalText({
    env: 'POSTGRES_HOST',
    description: 'database server; if neither this nor DATABASE_URL is set, `up` starts its own',
  }),
  postgresPort: whole({
    env: 'POSTGRES_PORT',
    min: 1,
    max: 65_535,
    default: 5432,
    description: 'port of the database server',
  }),
  postgresDb: text({ env: 'POSTGRES_DB', default: 'bi_realtime', description: 'name of the database' }),
  postgresUser: text({ env: 'POSTGRES_USER', default: 'bi_user', description: 'role to connect as' }),
  postgresPassword: optionalText({ env: 'POSTGRES_PASSWORD', secret: true, description: 'password of that role' }),
  postgresSslMode: choice({
    env: 'POSTGRES_SSLMODE',
    of: sslModes,
    default: 'prefer',
    description: 'TLS mode of database connections, as in libpq',
  }),
  postgresSslCa: optionalText({
    env: 'POSTGRES_SSL_CA',
    allowed: 'a PEM file',
    description: "certificate authorities to trust with verify-ca and verify-full (default: the system's)",
  }),
  pipelineRolePassword: optionalText({
    env: 'BI_USER_PASSWORD',
    secret: true,
    description: 'password that `init` sets for the role `bi_user`; without a password the role cannot log in',
  }),
  readerRolePassword: optionalText({
    env: 'BI_READER_PASSWORD',
    secret: true,
    description:
      'the same for the role `bi_reader`; alert evaluators run the SQL rules in market-kpi.yaml as that role',
  }),
  symbols: text({
    env: 'SYMBOLS',
    flag: '--symbols LIST',
    default: '10',
    pattern: /^(\d{1,6}|[\x21-\x2b\x2d-\x7e]{1,32}(,[\x21-\x2b\x2d-\x7e]{1,32})*)$/,
    allowed: 'names separated by commas, or a number of symbols to generate',
    description: 'symbols of the simulated feed',
  }),
  fetchIntervalSeconds: decimal({
    env: 'FETCH_INTERVAL_SECONDS',
    min: 0.1,
    max: 86_400,
    default: 5,
    description: 'how often a feed polls its source',
  }),
  windowSeconds: whole({
    env: 'WINDOW_SECONDS',
    min: 1,
    max: 86_400,
    default: 300,
    description: 'window length; part of the definition of a database: only `rebuild --all` changes it',
  }),
  allowedLatenessSeconds: whole({
    env: 'ALLOWED_LATENESS_SECONDS',
    min: 0,
    max: 31_536_000,
    default: 120,
    description:
      'how far the watermark may be past the end of a window before its messages count as late (they are merged anyway); part of the definition',
  }),
  maxFutureSeconds: whole({
    env: 'MAX_FUTURE_SECONDS',
    min: 0,
    max: 31_536_000,
    default: 300,
    description: "how far a message's timestamp may be ahead of its record's Kafka timestamp; part of the definition",
  }),
  decimals: whole({
    env: 'DECIMALS',
    min: 8,
    max: 18,
    default: 8,
    description:
      'fractional digits of prices and volumes; part of the definition of a database: only `rebuild --all` changes it',
  }),
  batchSize: whole({
    env: 'BATCH_SIZE',
    flag: '--batch-size ROWS',
    min: 1,
    max: 1_000_000,
    default: 10_000,
    description: 'a worker writes when this many rows (symbol, window) are pending',
  }),
  batchWaitMs: whole({
    env: 'BATCH_WAIT_MS',
    flag: '--batch-wait-ms MS',
    min: 0,
    max: 60_000,
    default: 200,
    description: '… or when the oldest pending message has waited this long',
  }),
  maxPoolConnections: whole({
    env: 'MAX_POOL_CONNECTIONS',
    flag: '--max-pool-connections N',
    min: 1,
    max: 100,
    default: 1,
    description:
      'database connections of one worker, each of which writes different partitions; one more is used to report its status',
  }),
  partitionBy: choice({
    env: 'KPI_PARTITION_BY',
    flag: '--partition-by UNIT',
    of: ['none', 'month'],
    default: 'none',
    description: 'whether `init` and `up` create the table of rows in a new database with monthly partitions',
  }),
  deadLetterPayloadsPerMinute: whole({
    env: 'DEAD_LETTER_PAYLOADS_PER_MINUTE',
    min: 0,
    max: 1_000_000,
    default: 1000,
    description:
      'number of rejected messages per minute whose values one worker stores; of further ones it stores only place and reason',
  }),
  pruneRowsOlderThan: optionalText({
    env: 'PRUNE_ROWS_OLDER_THAN',
    flag: '--rows-older-than AGE',
    pattern: age,
    allowed: 'a time such as 12h or 90d',
    description: 'delete rows whose window ended longer ago than this; `up` does so every hour',
  }),
  pruneLettersOlderThan: optionalText({
    env: 'PRUNE_LETTERS_OLDER_THAN',
    flag: '--letters-older-than AGE',
    pattern: age,
    allowed: 'a time such as 12h or 30d',
    description: 'delete messages that were rejected longer ago than this and not retried; `up` does so every hour',
  }),
  ...thresholdSettings,
  ...notifierSettings,
  refreshIntervalSeconds: decimal({
    env: 'REFRESH_INTERVAL_SECONDS',
    min: 0.5,
    max: 3600,
    default: 5,
    description: 'how often live views refresh',
  }),
  grafanaUrl: text({
    env: 'GRAFANA_URL',
    pattern: webAddress,
    allowed: 'http://HOST:PORT or https://HOST',
    default: 'http://127.0.0.1:3000',
    description: 'address that `open grafana` opens',
  }),
  logLevel: choice({
    env: 'LOG_LEVEL',
    flag: '--log-level LEVEL',
    of: logLevels,
    default: 'info',
    description: 'lowest level of log lines to print',
  }),
  logFormat: choice({
    env: 'LOG_FORMAT',
    flag: '--log-format FORMAT',
    of: logFormats,
    default: 'pretty',
    description: 'format of log lines',
  }),
} as const satisfies Record<string, Setting<unknown>>

export type SettingName = keyof typeof settings
