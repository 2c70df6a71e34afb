import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The files the broker is started with, written anew at each start. */
export interface KafkaConfigFiles {
  readonly server: string
  readonly logging: string
}

/** One node of a cluster of several on this machine, each of them broker and controller. */
export interface KafkaNode {
  readonly id: number
  /** The same for all nodes; Kafka's base64 form of 16 bytes. */
  readonly clusterId: string
  /** Of every node, by its id. */
  readonly controllerPorts: ReadonlyMap<number, number>
  /** Where the other nodes copy from, without whatever stands between clients and this node. */
  readonly replicationPort: number
}

export interface KafkaConfig {
  readonly folder: string
  readonly storage: string
  readonly port: number
  readonly advertisedPort: number
  /** Of a node that stands alone. */
  readonly controllerPort: number
  readonly node?: KafkaNode
  /** Settings of server.properties that win over those shipped. */
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
    // One node gains nothing by spreading its groups; fifty partitions only make the first join slow.
    'offsets.topic.num.partitions=3',
    `transaction.state.log.replication.factor=${nodeCount}`,
    'transaction.state.log.min.isr=1',
    'transaction.state.log.num.partitions=3',
    `share.coordinator.state.topic.replication.factor=${nodeCount}`,
    'share.coordinator.state.topic.min.isr=1',
    'group.initial.rebalance.delay.ms=0',
    'group.coordinator.rebalance.protocols=classic,consumer',
    // A worker that was killed is missed after seconds, not after the usual 45, and a hand-over takes two heartbeats.
    'group.min.session.timeout.ms=1000',
    'group.consumer.min.session.timeout.ms=1000',
    'group.consumer.session.timeout.ms=6000',
    'group.consumer.min.heartbeat.interval.ms=200',
    'group.consumer.heartbeat.interval.ms=1000',
    // A value of 65,536 bytes is still legal, and a larger one must reach us to be told apart as too_large.
    'message.max.bytes=10485760',
    'replica.fetch.max.bytes=10485760',
    // After kill -9 the controller waits for the old session of the one broker to end.
    'broker.heartbeat.interval.ms=500',
    'broker.session.timeout.ms=2000',
    'log.cleaner.dedupe.buffer.size=8388608',
    'num.recovery.threads.per.data.dir=2',
    'log.retention.hours=168',
    // Of a name that occurs twice the last one counts.
    ...Object.entries(settings).map(([name, value]) => `${name}=${value}`),
  ]
  return `${lines.join('\n')}\n`
}

/** Loopback only: nothing is to be had over the network. */
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
