import { logFormats, logLevels } from '../log.ts'
import { notifierSettings } from './notifier-settings.ts'
import { choice, decimal, optionalText, type Setting, text, whole } from './setting.ts'
import { thresholdSettings } from './threshold-settings.ts'

/** 1 to 65535. */
const port = /0*(?:[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])/.source
const webAddress = /^https?:\/\/[^\s/?#]\S*$/
const hostPorts = new RegExp(`^[^\\s,:]+:${port}(,[^\\s,:]+:${port})*$`)
/** Kafka refuses `.` and `..`, which its folders could not be called. */
const topicName = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/
/** As ageOption of the command line reads it. */
const age = /^0*[1-9]\d{0,8}[smhd]$/
const securityProtocols = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const
const saslMechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const
const sslModes = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const
const groupProtocols = ['auto', 'consumer', 'classic'] as const

/** Every setting of market-kpi, in the order in which the documentation lists them. */
export const settings = {
  kafkaBootstrapServers: optionalText({
    env: 'KAFKA_BOOTSTRAP_SERVERS',
    flag: '--bootstrap-servers HOST:PORT,…',
    pattern: hostPorts,
    allowed: 'HOST:PORT, several separated by commas',
    description: 'the brokers to start from; `up` starts its own broker when this is not set',
  }),
  kafkaTopic: text({
    env: 'KAFKA_TOPIC',
    flag: '--topic NAME',
    default: 'market-prices',
    pattern: topicName,
    allowed: 'a Kafka topic name',
    description: 'the topic that holds the prices',
  }),
  kafkaPartitions: whole({
    env: 'KAFKA_PARTITIONS',
    min: 1,
    max: 10_000,
    default: 3,
    description: 'partitions of the topic, when it is created',
  }),
  kafkaReplicationFactor: whole({
    env: 'KAFKA_REPLICATION_FACTOR',
    min: -1,
    max: 32,
    default: -1,
    description: "replicas of each partition, when the topic is created; -1 takes the brokers' default",
  }),
  kafkaGroup: text({
    env: 'KAFKA_GROUP',
    flag: '--group NAME',
    default: 'market-kpi-processor',
    description: 'the consumer group',
  }),
  kafkaGroupProtocol: choice({
    env: 'KAFKA_GROUP_PROTOCOL',
    of: groupProtocols,
    default: 'auto',
    description: 'the group protocol: `consumer` is KIP-848, `auto` takes it where the brokers have it',
  }),
  kafkaSecurityProtocol: choice({
    env: 'KAFKA_SECURITY_PROTOCOL',
    of: securityProtocols,
    default: 'PLAINTEXT',
    description: 'how to talk to the brokers',
  }),
  kafkaSaslMechanism: choice({
    env: 'KAFKA_SASL_MECHANISM',
    of: saslMechanisms,
    default: 'PLAIN',
    description: 'how to log in, with SASL_PLAINTEXT and SASL_SSL',
  }),
  kafkaSaslUsername: optionalText({ env: 'KAFKA_SASL_USERNAME', description: 'the user to log in as' }),
  kafkaSaslPassword: optionalText({ env: 'KAFKA_SASL_PASSWORD', secret: true, description: "that user's password" }),
  kafkaSslCa: optionalText({ env: 'KAFKA_SSL_CA', allowed: 'a PEM file', description: 'certificates to trust' }),
  kafkaSslCert: optionalText({ env: 'KAFKA_SSL_CERT', allowed: 'a PEM file', description: 'our own certificate' }),
  kafkaSslKey: optionalText({ env: 'KAFKA_SSL_KEY', allowed: 'a PEM file', description: "our certificate's key" }),
  databaseUrl: optionalText({
    env: 'DATABASE_URL',
    pattern: /^postgres(ql)?:\/\/\S+$/,
    allowed: 'postgresql://USER:PASSWORD@HOST:PORT/DATABASE',
    secret: true,
    description: 'the database as one address; wins over the POSTGRES_* settings',
  }),
  postgresHost: optionalText({
    env: 'POSTGRES_HOST',
    description: 'the database server; `up` starts its own when neither this nor DATABASE_URL is set',
  }),
  postgresPort: whole({ env: 'POSTGRES_PORT', min: 1, max: 65_535, default: 5432, description: 'its port' }),
  postgresDb: text({ env: 'POSTGRES_DB', default: 'bi_realtime', description: 'the database' }),
  postgresUser: text({ env: 'POSTGRES_USER', default: 'bi_user', description: 'the role to connect as' }),
  postgresPassword: optionalText({ env: 'POSTGRES_PASSWORD', secret: true, description: "that role's password" }),
  postgresSslMode: choice({
    env: 'POSTGRES_SSLMODE',
    of: sslModes,
    default: 'prefer',
    description: 'TLS to the database, in the words of libpq',
  }),
  postgresSslCa: optionalText({
    env: 'POSTGRES_SSL_CA',
    allowed: 'a PEM file',
    description: "certificates to trust with verify-ca and verify-full; the system's when not set",
  }),
  pipelineRolePassword: optionalText({
    env: 'BI_USER_PASSWORD',
    secret: true,
    description: 'given to the role `bi_user` by `init`; without it the role cannot log in until it gets one',
  }),
  readerRolePassword: optionalText({
    env: 'BI_READER_PASSWORD',
    secret: true,
    description:
      'the same for the role `bi_reader`; alert evaluators run the SQL rules of market-kpi.yaml as that role',
  }),
  symbols: text({
    env: 'SYMBOLS',
    flag: '--symbols LIST',
    default: '10',
    pattern: /^(\d{1,6}|[\x21-\x2b\x2d-\x7e]{1,32}(,[\x21-\x2b\x2d-\x7e]{1,32})*)$/,
    allowed: 'names separated by commas, or how many to make up',
    description: 'the symbols of the feed',
  }),
  fetchIntervalSeconds: decimal({
    env: 'FETCH_INTERVAL_SECONDS',
    min: 0.1,
    max: 86_400,
    default: 5,
    description: 'how often a polled feed asks its source',
  }),
  windowSeconds: whole({
    env: 'WINDOW_SECONDS',
    min: 1,
    max: 86_400,
    default: 300,
    description: 'the length of a window; part of what a database holds, so it cannot change under one',
  }),
  allowedLatenessSeconds: whole({
    env: 'ALLOWED_LATENESS_SECONDS',
    min: 0,
    max: 31_536_000,
    default: 120,
    description: 'how far past the end of its window the log may be before a message counts as late (it still counts)',
  }),
  maxFutureSeconds: whole({
    env: 'MAX_FUTURE_SECONDS',
    min: 0,
    max: 31_536_000,
    default: 300,
    description: "how far ahead of its record's Kafka timestamp a message may claim to be",
  }),
  decimals: whole({
    env: 'DECIMALS',
    min: 8,
    max: 18,
    default: 8,
    description:
      'fractional digits that prices and volumes keep; part of what a database holds: `rebuild --all` changes it',
  }),
  batchSize: whole({
    env: 'BATCH_SIZE',
    flag: '--batch-size ROWS',
    min: 1,
    max: 1_000_000,
    default: 10_000,
    description: 'a write starts when this many rows (symbol, window) are pending',
  }),
  batchWaitMs: whole({
    env: 'BATCH_WAIT_MS',
    flag: '--batch-wait-ms MS',
    min: 0,
    max: 60_000,
    default: 200,
    description: 'or when the oldest pending message has waited this long',
  }),
  maxPoolConnections: whole({
    env: 'MAX_POOL_CONNECTIONS',
    flag: '--max-pool-connections N',
    min: 1,
    max: 100,
    default: 1,
    description:
      'connections over which one worker writes, each other partitions at a time; one more tells of the worker itself',
  }),
  partitionBy: choice({
    env: 'KPI_PARTITION_BY',
    flag: '--partition-by UNIT',
    of: ['none', 'month'],
    default: 'none',
    description: 'how `init` and `up` make the table of rows in a new database: as one, or in partitions',
  }),
  deadLetterPayloadsPerMinute: whole({
    env: 'DEAD_LETTER_PAYLOADS_PER_MINUTE',
    min: 0,
    max: 1_000_000,
    default: 1000,
    description:
      'rejected messages a minute, of one worker, whose bytes are kept too; beyond it position and reason only',
  }),
  pruneRowsOlderThan: optionalText({
    env: 'PRUNE_ROWS_OLDER_THAN',
    flag: '--rows-older-than AGE',
    pattern: age,
    allowed: 'a time such as 12h or 90d',
    description: 'delete rows of windows that ended longer ago; `up` does it every hour',
  }),
  pruneLettersOlderThan: optionalText({
    env: 'PRUNE_LETTERS_OLDER_THAN',
    flag: '--letters-older-than AGE',
    pattern: age,
    allowed: 'a time such as 12h or 30d',
    description: 'delete messages that were rejected longer ago, unless they were retried; `up` does it every hour',
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
  dashboardToken: optionalText({
    env: 'DASHBOARD_TOKEN',
    secret: true,
    description: 'what a browser must show before the dashboard listens beyond this machine',
  }),
  dashboardUrl: optionalText({
    env: 'DASHBOARD_URL',
    pattern: webAddress,
    allowed: 'http://HOST:PORT or https://HOST',
    description: 'where `open dashboard` finds it; the one that `up` runs when not set',
  }),
  grafanaUrl: text({
    env: 'GRAFANA_URL',
    pattern: webAddress,
    allowed: 'http://HOST:PORT or https://HOST',
    default: 'http://127.0.0.1:3000',
    description: 'where `open grafana` finds it',
  }),
  logLevel: choice({
    env: 'LOG_LEVEL',
    flag: '--log-level LEVEL',
    of: logLevels,
    default: 'info',
    description: 'the least important log lines to print',
  }),
  logFormat: choice({
    env: 'LOG_FORMAT',
    flag: '--log-format FORMAT',
    of: logFormats,
    default: 'pretty',
    description: 'how to print them',
  }),
} as const satisfies Record<string, Setting<unknown>>

export type SettingName = keyof typeof settings
