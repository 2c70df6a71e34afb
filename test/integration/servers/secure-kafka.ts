import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findKafkaPrograms } from '../../../src/embedded/kafka/kafka-server.ts'
import { KafkaCluster } from '../../../src/kafka/client/cluster.ts'
import { Child } from '../../../src/process/child.ts'
import { choosePort } from '../../../src/process/ports.ts'
import { RotatingLog } from '../../../src/process/rotating-log.ts'
import { silentLog } from '../scenes/pipeline.ts'
import { until } from '../scenes/until.ts'
import { type Certificates, joined } from './certificates.ts'

/** A broker as companies run them: a listener for each way to be safe. */
export interface SecureKafka {
  /** `127.0.0.1:PORT` of each listener; TLS alone asks for a client's certificate. */
  readonly ssl: string
  readonly saslSsl: string
  readonly saslPlaintext: string
  readonly plaintext: string
  stop(): Promise<void>
}

export const kafkaUser = { name: 'alice', password: 'correct horse' }

const protocols = { plaintext: 'PLAINTEXT', ssl: 'SSL', saslSsl: 'SASL_SSL', saslPlaintext: 'SASL_PLAINTEXT' } as const
const scram = ['SCRAM-SHA-256', 'SCRAM-SHA-512']

export async function startSecureKafka(folder: string, certificates: Certificates): Promise<SecureKafka> {
  const { java, jars } = await findKafkaPrograms({ log: silentLog })
  const names = Object.keys(protocols) as (keyof typeof protocols)[]
  const ports = new Set<number>()
  while (ports.size <= names.length) ports.add(await choosePort(0, ports))
  const [controllerPort = 0, ...listenerPorts] = ports
  const addresses = Object.fromEntries(names.map((name, index) => [name, `127.0.0.1:${listenerPorts[index]}`]))
  const config = join(folder, 'server.properties')
  mkdirSync(join(folder, 'storage'), { recursive: true })
  writeFileSync(config, properties({ folder, certificates, controllerPort, addresses }))
  const output = new RotatingLog({ logsDir: folder, name: 'kafka' })
  const run = (...args: string[]) =>
    Child.start({ name: 'kafka', command: java, args: ['-Xmx256m', '-cp', join(jars, '*'), ...args], output })
  const users = scram.flatMap((mechanism) => [
    '--add-scram',
    `${mechanism}=[name=${kafkaUser.name},password=${kafkaUser.password}]`,
  ])
  const format = await run('kafka.tools.StorageTool', 'format', '-t', 'MkU3OEVBNTcwNTJENDM2Qg', '-c', config, ...users)
  await format.finish(undefined)
  const child = await run('kafka.Kafka', config)
  await untilAnswering(addresses.plaintext ?? '')
  const stop = async () => {
    await child.stop([{ signal: 'SIGTERM', waitMs: 8000 }])
  }
  return { ...(addresses as Record<keyof typeof protocols, string>), stop }
}

interface Described {
  readonly folder: string
  readonly certificates: Certificates
  readonly controllerPort: number
  readonly addresses: Readonly<Record<string, string>>
}

function properties({ folder, certificates, controllerPort, addresses }: Described): string {
  const listeners = Object.entries(addresses).map(([name, address]) => `${name.toUpperCase()}://${address}`)
  const map = Object.entries(protocols).map(([name, protocol]) => `${name.toUpperCase()}:${protocol}`)
  const login = (module: string, users = '') =>
    `org.apache.kafka.common.security.${module}LoginModule required${users};`
  const logins = ['saslssl', 'saslplaintext'].flatMap((name) => [
    `listener.name.${name}.plain.sasl.jaas.config=${login('plain.Plain', ` user_${kafkaUser.name}="${kafkaUser.password}"`)}`,
    ...scram.map(
      (mechanism) => `listener.name.${name}.${mechanism.toLowerCase()}.sasl.jaas.config=${login('scram.Scram')}`,
    ),
  ])
  return [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@127.0.0.1:${controllerPort}`,
    'controller.listener.names=CONTROLLER',
    `listeners=${listeners.join(',')},CONTROLLER://127.0.0.1:${controllerPort}`,
    `advertised.listeners=${listeners.join(',')}`,
    `listener.security.protocol.map=${map.join(',')},CONTROLLER:PLAINTEXT`,
    'inter.broker.listener.name=PLAINTEXT',
    `log.dirs=${join(folder, 'storage')}`,
    'auto.create.topics.enable=false',
    'default.replication.factor=1',
    'offsets.topic.replication.factor=1',
    'offsets.topic.num.partitions=1',
    `sasl.enabled.mechanisms=PLAIN,${scram.join(',')}`,
    ...logins,
    'ssl.keystore.type=PEM',
    `ssl.keystore.location=${joined(certificates.server, join(folder, 'keystore.pem'))}`,
    'ssl.truststore.type=PEM',
    `ssl.truststore.location=${certificates.ca}`,
    'listener.name.ssl.ssl.client.auth=required',
    '',
  ].join('\n')
}

async function untilAnswering(bootstrap: string): Promise<void> {
  const cluster = new KafkaCluster({ bootstrap: [bootstrap], clientId: 'market-kpi-test', connectTimeoutMs: 1000 })
  await until(
    'a broker that answers',
    () => cluster.clusterMetadata().catch(() => undefined),
    (answer) => answer !== undefined && cluster.brokers.length > 0,
  )
  await cluster.close()
}
