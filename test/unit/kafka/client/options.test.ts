import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { loadConfig } from '../../../../src/config/load.ts'
import { kafkaOptions } from '../../../../src/kafka/client/options.ts'
import { temporaryFolder } from '../../../temporary-folder.ts'

function optionsOf(env: Record<string, string>) {
  return kafkaOptions(loadConfig({ env }), 'me')
}

const bootstrap = { KAFKA_BOOTSTRAP_SERVERS: 'a:9092,b:9093' }
const login = { KAFKA_SASL_USERNAME: 'u', KAFKA_SASL_PASSWORD: 'secret' }

it('names the brokers', () => {
  expect(optionsOf(bootstrap)).toEqual({ bootstrap: ['a:9092', 'b:9093'], clientId: 'me' })
  expect(() => optionsOf({})).toThrow(expect.objectContaining({ code: 'KPI_CONFIG_INVALID' }))
})

it.each([
  ['PLAINTEXT', {}],
  ['SSL', { tls: {} }],
  ['SASL_PLAINTEXT', { sasl: { mechanism: 'SCRAM-SHA-512', username: 'u', password: 'secret' } }],
  ['SASL_SSL', { tls: {}, sasl: { mechanism: 'SCRAM-SHA-512', username: 'u', password: 'secret' } }],
])('speaks %s', (protocol, expected) => {
  const env = { ...bootstrap, ...login, KAFKA_SECURITY_PROTOCOL: protocol, KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512' }
  expect(optionsOf(env)).toEqual({ bootstrap: ['a:9092', 'b:9093'], clientId: 'me', ...expected })
})

it('reads the PEM files', () => {
  using folder = temporaryFolder()
  const file = (name: string) => {
    const path = join(folder.path, name)
    writeFileSync(path, `the ${name}`)
    return path
  }
  const env = {
    ...bootstrap,
    KAFKA_SECURITY_PROTOCOL: 'SSL',
    KAFKA_SSL_CA: file('ca'),
    KAFKA_SSL_CERT: file('cert'),
    KAFKA_SSL_KEY: file('key'),
  }
  expect(optionsOf(env).tls).toEqual({ ca: 'the ca', cert: 'the cert', key: 'the key' })
  expect(() => optionsOf({ ...env, KAFKA_SSL_CA: join(folder.path, 'none') })).toThrow(/^KAFKA_SSL_CA=.*none: ENOENT/)
})

it('asks for the whole login, and never shows it', () => {
  for (const missing of ['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD'] as const) {
    const { [missing]: _, ...rest } = { ...bootstrap, ...login, KAFKA_SECURITY_PROTOCOL: 'SASL_SSL' }
    expect(() => optionsOf(rest)).toThrow(/^KAFKA_SECURITY_PROTOCOL=SASL_SSL: needs KAFKA_SASL_USERNAME and/)
    expect(() => optionsOf(rest)).not.toThrow(/secret/)
  }
})
