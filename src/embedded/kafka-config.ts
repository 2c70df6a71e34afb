import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The files the broker is started with, written anew at each start. */
export interface KafkaConfigFiles {
  readonly server: string
  readonly logging: string
}

export function writeKafkaConfig(options: {
  folder: string
  storage: string
  port: number
  advertisedPort: number
  controllerPort: number
}): KafkaConfigFiles {
  mkdirSync(options.folder, { recursive: true, mode: 0o700 })
  const server = join(options.folder, 'kafka.properties')
  const logging = join(options.folder, 'kafka-log4j2.properties')
  writeFileSync(server, serverProperties(options))
  writeFileSync(logging, loggingProperties)
  return { server, logging }
}

function serverProperties(options: Parameters<typeof writeKafkaConfig>[0]): string {
  const { storage, port, advertisedPort, controllerPort } = options
  const lines = [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@127.0.0.1:${controllerPort}`,
    // Loopback only: nothing is to be had over the network.
    `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    `advertised.listeners=PLAINTEXT://127.0.0.1:${advertisedPort}`,
    'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name=PLAINTEXT',
    'controller.listener.names=CONTROLLER',
    `log.dirs=${storage.replaceAll('\\', '\\\\')}`,
    'auto.create.topics.enable=false',
    'default.replication.factor=1',
    'offsets.topic.replication.factor=1',
    // One node gains nothing by spreading its groups; fifty partitions only make the first join slow.
    'offsets.topic.num.partitions=3',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'transaction.state.log.num.partitions=3',
    'share.coordinator.state.topic.replication.factor=1',
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
  ]
  return `${lines.join('\n')}\n`
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
