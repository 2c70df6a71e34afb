import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The configuration files of the broker, written again at each start. */
export interface KafkaConfigFiles {
  readonly server: string
  readonly logging: string
}

/** One node of a cluster on this machine. Each node is both broker and controller. */
export interface KafkaNode {
  readonly id: number
  /** Kafka's base64 form of 16 bytes; the same for all nodes. */
  readonly clusterId: string
  /** The controller port of every node, by node id. */
  readonly controllerPorts: ReadonlyMap<number, number>
  /** The port from which other nodes replicate. It is not behind a proxy that is between clients and this node. */
  readonly replicationPort: number
}

export interface KafkaConfig {
  readonly folder: string
  readonly storage: string
  readonly port: number
  readonly advertisedPort: number
  /** The controller port of a single node. */
  readonly controllerPort: number
  readonly node?: KafkaNode
  /** Settings of server.properties that override the defaults of market-kpi. */
  readonly settings?: Readonly<Record<string, string>>
}

export function writeKafkaConfig(options: KafkaConfig): KafkaConfigFiles {
  mkdirSync(options.folder, { recursive: true, mode: 0o700 })
  const server = join(options.folder, 'kafka.properties')
  const logging = join(options.folder, 'kafka-log4j2.properties')
  writeFileSync(server, serverProperties(options))
  writeFileSync(logging, loggingProperties)
  return { server, logging }
}

function serverProperties(options: KafkaConfig): string {
  const { storage, node, settings = {} } = options
  const nodeCount = node?.controllerPorts.size ?? 1
  const lines = [
    'process.roles=broker,controller',
    ...addressLines(options),
    'controller.listener.names=CONTROLLER',
    `log.dirs=${storage.replaceAll('\\', '\\\\')}`,
    'auto.create.topics.enable=false',
    `default.replication.factor=${nodeCount}`,
    `offsets.topic.replication.factor=${nodeCount}`,
    // A single node gains nothing from many partitions for groups; the default of fifty only makes the first join
    // slow.
    'offsets.topic.num.partitions=3',
    `transaction.state.log.replication.factor=${nodeCount}`,
    'transaction.state.log.min.isr=1',
    'transaction.state.log.num.partitions=3',
    `share.coordinator.state.topic.replication.factor=${nodeCount}`,
    'share.coordinator.state.topic.min.isr=1',
    'group.initial.rebalance.delay.ms=0',
    'group.coordinator.rebalance.protocols=classic,consumer',
    // A killed worker is detected after seconds, instead of the default 45 s, and a hand-over of partitions takes two
    // heartbeats.
    'group.min.session.timeout.ms=1000',
    'group.consumer.min.session.timeout.ms=1000',
    'group.consumer.session.timeout.ms=6000',
    'group.consumer.min.heartbeat.interval.ms=200',
    'group.consumer.heartbeat.interval.ms=1000',
    // A value of 65,536 bytes is still valid. Larger ones must reach the consumer, which rejects them as too_large.
    'message.max.bytes=10485760',
    'replica.fetch.max.bytes=10485760',
    // After kill -9, the controller waits until the old session of the broker expires.
    'broker.heartbeat.interval.ms=500',
    'broker.session.timeout.ms=2000',
    'log.cleaner.dedupe.buffer.size=8388608',
    'num.recovery.threads.per.data.dir=2',
    'log.retention.hours=168',
    // If a name occurs twice, the last one is used.
    ...Object.entries(settings).map(([name, value]) => `${name}=${value}`),
  ]
  return `${lines.join('\n')}\n`
}

/** Only loopback addresses, so that nothing can connect from the network. */
function addressLines({ port, advertisedPort, controllerPort, node }: KafkaConfig): string[] {
  const id = node?.id ?? 1
  const controllerPorts = node?.controllerPorts ?? new Map([[id, controllerPort]])
  const own = {
    PLAINTEXT: [port, advertisedPort],
    ...(node ? { REPLICATION: [node.replicationPort, node.replicationPort] } : {}),
  } as const
  const listeners = Object.entries(own).map(([name, [listens]]) => `${name}://127.0.0.1:${listens}`)
  return [
    `node.id=${id}`,
    `controller.quorum.voters=${[...controllerPorts].map(([voter, at]) => `${voter}@127.0.0.1:${at}`).join(',')}`,
    `listeners=${[...listeners, `CONTROLLER://127.0.0.1:${controllerPorts.get(id)}`].join(',')}`,
    `advertised.listeners=${Object.entries(own)
      .map(([name, [, advertised]]) => `${name}://127.0.0.1:${advertised}`)
      .join(',')}`,
    'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,REPLICATION:PLAINTEXT,CONTROLLER:PLAINTEXT',
    `inter.broker.listener.name=${node ? 'REPLICATION' : 'PLAINTEXT'}`,
  ]
}

const loggingProperties = `status = ERROR
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yyyy-MM-dd'T'HH:mm:ss.SSS}{UTC}Z %p %c{1} %m%n%throwable
rootLogger.level = INFO
rootLogger.appenderRef.console.ref = console
logger.config.name = org.apache.kafka.common.config.AbstractConfig
logger.config.level = WARN
logger.state.name = state.change.logger
logger.state.level = WARN
`
