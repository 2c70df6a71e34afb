// The ways to be safe that companies use between their programs and their brokers.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../../../src/config/load.ts'
import { KafkaCluster } from '../../../src/kafka/client/cluster.ts'
import { kafkaOptions } from '../../../src/kafka/client/options.ts'
import { prepareTopic } from '../../../src/kafka/client/topic.ts'
import { temporaryFolder } from '../../temporary-folder.ts'
import { marketKpi } from '../scenes/processes.ts'
import { type Certificates, makeCertificates } from '../servers/certificates.ts'
import { kafkaUser, type SecureKafka, startSecureKafka } from '../servers/secure-kafka.ts'

const folder = temporaryFolder()
let certificates: Certificates
let kafka: SecureKafka

beforeAll(async () => {
  mkdirSync(join(folder.path, 'kafka'))
  certificates = makeCertificates(folder.path)
  kafka = await startSecureKafka(join(folder.path, 'kafka'), certificates)
})
afterAll(async () => {
  await kafka?.stop()
  folder[Symbol.dispose]()
})

const login = { KAFKA_SASL_USERNAME: kafkaUser.name, KAFKA_SASL_PASSWORD: kafkaUser.password }
const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']

const saslSsl = (mechanism: string): Record<string, string> => ({
  KAFKA_BOOTSTRAP_SERVERS: kafka.saslSsl,
  KAFKA_SECURITY_PROTOCOL: 'SASL_SSL',
  KAFKA_SASL_MECHANISM: mechanism,
  KAFKA_SSL_CA: certificates.ca,
  ...login,
})

/** Creates a topic, for which the client has to reach the address that the broker advertises, too. */
async function createTopic(topic: string, env: Record<string, string>): Promise<number> {
  const cluster = new KafkaCluster(kafkaOptions(loadConfig({ env }), 'market-kpi-test'))
  try {
    const { metadata } = await prepareTopic(cluster, { topic, partitions: 2, replicationFactor: -1 })
    return metadata.partitions.length
  } finally {
    await cluster.close()
  }
}

describe('a login over TLS', () => {
  it.each(mechanisms)('%s', async (mechanism) => {
    expect(await createTopic(`tls-${mechanism}`, saslSsl(mechanism))).toBe(2)
  })

  it.each(mechanisms)(
    '%s with a wrong password is refused at once, in a line that does not show it',
    async (mechanism) => {
      await expect(createTopic('x', { ...saslSsl(mechanism), KAFKA_SASL_PASSWORD: 'hunter2' })).rejects.toMatchObject({
        code: 'KPI_KAFKA_AUTH',
        message: `Kafka at ${kafka.saslSsl} refused the login: check KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD`,
      })
    },
  )

  it('of nobody is refused before anything is sent', async () => {
    const { KAFKA_SASL_PASSWORD: _, ...noPassword } = saslSsl('PLAIN')
    await expect(createTopic('x', noPassword)).rejects.toMatchObject({
      code: 'KPI_CONFIG_INVALID',
      message: 'KAFKA_SECURITY_PROTOCOL=SASL_SSL: needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD',
    })
  })

  it('is one line of a command, with exit code 1', async () => {
    const run = marketKpi(['init'], {
      ...saslSsl('SCRAM-SHA-512'),
      KAFKA_SASL_PASSWORD: 'hunter2',
      DATABASE_URL: 'postgresql://h/d',
    })
    expect(await run.exited).toEqual({ code: 1, signal: null })
    expect(run.stderr()).toMatch(/^Kafka at [\d.:]+ refused the login: [^\n]+\n$/)
  })
})

it('a login without TLS', async () => {
  const env = {
    ...saslSsl('SCRAM-SHA-256'),
    KAFKA_BOOTSTRAP_SERVERS: kafka.saslPlaintext,
    KAFKA_SECURITY_PROTOCOL: 'SASL_PLAINTEXT',
  }
  expect(await createTopic('login-without-tls', env)).toBe(2)
})

describe('a certificate of our own', () => {
  const ssl = (): Record<string, string> => ({
    KAFKA_BOOTSTRAP_SERVERS: kafka.ssl,
    KAFKA_SECURITY_PROTOCOL: 'SSL',
    KAFKA_SSL_CA: certificates.ca,
    KAFKA_SSL_CERT: certificates.client.cert,
    KAFKA_SSL_KEY: certificates.client.key,
  })

  it('is shown', async () => {
    expect(await createTopic('client-certificate', ssl())).toBe(2)
  })

  it('is missed by a broker that wants one', async () => {
    const { KAFKA_SSL_CERT: _, KAFKA_SSL_KEY: __, ...nothingToShow } = ssl()
    await expect(createTopic('x', nothingToShow)).rejects.toMatchObject({
      code: 'KPI_KAFKA_UNREACHABLE',
      message: expect.stringMatching(/^Kafka at \S+ does not answer: /),
    })
  })
})

describe("a broker's certificate", () => {
  it('that nobody vouches for is not trusted', async () => {
    const { KAFKA_SSL_CA: _, ...noCa } = saslSsl('PLAIN')
    await expect(createTopic('x', noCa)).rejects.toMatchObject({
      code: 'KPI_KAFKA_UNREACHABLE',
      message: `Kafka at ${kafka.saslSsl} shows a certificate that is not trusted (unable to verify the first certificate): check KAFKA_SSL_CA`,
    })
  })

  it('needs a file that can be read', async () => {
    await expect(createTopic('x', { ...saslSsl('PLAIN'), KAFKA_SSL_CA: '/nowhere.pem' })).rejects.toMatchObject({
      code: 'KPI_CONFIG_INVALID',
      message: expect.stringMatching(/^KAFKA_SSL_CA=\/nowhere.pem: ENOENT/),
    })
  })
})

it.each<[string, () => Record<string, string>]>([
  ['TLS at a port that has none', () => ({ ...saslSsl('PLAIN'), KAFKA_BOOTSTRAP_SERVERS: kafka.plaintext })],
  ['no TLS at a port that wants it', () => ({ KAFKA_BOOTSTRAP_SERVERS: kafka.saslSsl })],
])('%s is told in time', async (_, env) => {
  await expect(createTopic('x', env())).rejects.toMatchObject({
    code: 'KPI_KAFKA_UNREACHABLE',
    message: expect.stringMatching(/^Kafka at \S+ does not answer: [^\n]+$/),
  })
})
