import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../../src/config/load.ts'
import { KpiError } from '../../../src/errors.ts'
import { temporaryFolder } from '../../temporary-folder.ts'

interface Given {
  flags?: Parameters<typeof loadConfig>[0]['flags']
  env?: Record<string, string>
  dotenv?: string
  yaml?: string
}

function load({ flags, env = {}, dotenv, yaml }: Given) {
  using folder = temporaryFolder()
  if (dotenv !== undefined) writeFileSync(join(folder.path, '.env'), dotenv)
  if (yaml !== undefined) writeFileSync(join(folder.path, 'market-kpi.yaml'), yaml)
  return loadConfig({ ...(flags ? { flags } : {}), env, directory: folder.path })
}

function refusal(given: Given): string {
  try {
    load(given)
  } catch (error) {
    if (error instanceof KpiError && error.code === 'KPI_CONFIG_INVALID') return error.message
    throw error
  }
  throw new Error('was not refused')
}

describe('which value wins', () => {
  const flags = { batchSize: '1' }
  const env = { BATCH_SIZE: '2' }
  const dotenv = 'BATCH_SIZE=3\n'
  const yaml = 'batch_size: 4\n'

  it.each([
    ['the flag', { flags, env, dotenv, yaml }, 1],
    ['then the environment', { env, dotenv, yaml }, 2],
    ['then .env', { dotenv, yaml }, 3],
    ['then market-kpi.yaml', { yaml }, 4],
    ['then the default', {}, 10_000],
  ])('%s', (_, given, batchSize) => {
    expect(load(given).batchSize).toBe(batchSize)
  })

  it('one setting from each place', () => {
    const config = load({ flags: { kafkaTopic: 'flagged' }, env: { KAFKA_GROUP: 'g' }, dotenv: 'SYMBOLS=A,B', yaml })
    expect(config).toMatchObject({ kafkaTopic: 'flagged', kafkaGroup: 'g', symbols: 'A,B', batchSize: 4 })
  })

  it('the next one, where a value is empty', () => {
    expect(load({ env: { BATCH_SIZE: '' }, dotenv: 'BATCH_SIZE=  \n', yaml }).batchSize).toBe(4)
    expect(load({ env: { BATCH_SIZE: ' ' }, yaml: 'batch_size:\n' }).batchSize).toBe(10_000)
    expect(load({ yaml: 'kafka_bootstrap_servers: ~\nbatch_size: null\n' })).toMatchObject({
      kafkaBootstrapServers: undefined,
      batchSize: 10_000,
    })
  })

  it('nothing, where there is no default and nothing was given', () => {
    expect(load({})).toMatchObject({ databaseUrl: undefined, postgresHost: undefined, postgresPassword: undefined })
  })
})

describe('a wrong value is one line that names setting, value, place and what is allowed', () => {
  const whole = 'must be a whole number from 1 to 86400'

  it.each<[string, Given, string | RegExp]>([
    ['a flag', { flags: { batchSize: 'x' } }, '--batch-size=x: must be a whole number from 1 to 1000000'],
    ['an empty flag', { flags: { kafkaTopic: '' } }, '--topic=: must be a Kafka topic name'],
    ['a flag of a setting that has none', { flags: { windowSeconds: 'x' } }, `WINDOW_SECONDS=x: ${whole}`],
    ['the environment', { env: { WINDOW_SECONDS: 'abc' } }, `WINDOW_SECONDS=abc: ${whole}`],
    ['.env', { dotenv: 'WINDOW_SECONDS=0' }, `WINDOW_SECONDS=0 in .env: ${whole}`],
    ['market-kpi.yaml', { yaml: 'window_seconds: 1.5' }, `window_seconds=1.5 in market-kpi.yaml: ${whole}`],
    ['too much', { env: { WINDOW_SECONDS: '86401' } }, `WINDOW_SECONDS=86401: ${whole}`],
    [
      'a decimal',
      { env: { FETCH_INTERVAL_SECONDS: '.5' } },
      /^FETCH_INTERVAL_SECONDS=\.5: must be a number from 0.1 to/,
    ],
    [
      'a choice',
      { env: { POSTGRES_SSLMODE: 'on' } },
      /^POSTGRES_SSLMODE=on: must be one of disable, prefer, require, /,
    ],
    ['a broker without a port', { env: { KAFKA_BOOTSTRAP_SERVERS: 'b' } }, /^KAFKA_BOOTSTRAP_SERVERS=b: must be HOST:/],
    ['a port that is none', { env: { KAFKA_BOOTSTRAP_SERVERS: 'b:65536' } }, /^KAFKA_BOOTSTRAP_SERVERS=b:65536: must/],
    ['a topic that Kafka refuses', { env: { KAFKA_TOPIC: '..' } }, 'KAFKA_TOPIC=..: must be a Kafka topic name'],
    ['an unknown name', { yaml: 'windows: 3' }, /^market-kpi.yaml: no setting is called 'windows'; see docs\//],
    ['a table', { yaml: 'kafka_group: {a: b}' }, 'market-kpi.yaml: kafka_group must be text'],
    ['a list of lists', { yaml: 'symbols: [[A]]' }, /^market-kpi.yaml: symbols must be names/],
    ['a list', { yaml: '- a' }, 'market-kpi.yaml: must hold settings as NAME: VALUE'],
    ['a word', { yaml: 'a' }, 'market-kpi.yaml: must hold settings as NAME: VALUE'],
    [
      'a repeated name',
      { yaml: 'symbols: A\nsymbols: B' },
      'market-kpi.yaml: line 2 is not valid YAML (DUPLICATE_KEY)',
    ],
    ['no YAML', { yaml: 'symbols: A\n\tx: [' }, /^market-kpi.yaml: line \d is not valid YAML \([A-Z_]+\)$/],
  ])('%s', (_, given, line) => {
    expect(refusal(given)).toEqual(typeof line === 'string' ? line : expect.stringMatching(line))
  })
})

describe('a secret never shows', () => {
  const secret = 'hunter2'

  it.each<[string, Given]>([
    ['wrong in the environment', { env: { DATABASE_URL: secret } }],
    ['wrong in .env', { dotenv: `DATABASE_URL=${secret}` }],
    ['wrong in market-kpi.yaml', { yaml: `database_url: ${secret}` }],
    ['in broken YAML', { yaml: `postgres_password: [${secret}\nsymbols: A` }],
    ['in a name that leads nowhere', { yaml: `postgres_password: *${secret}` }],
    ['as a table', { yaml: `postgres_password: {${secret}: a}` }],
  ])('%s', (_, given) => {
    expect(refusal(given)).not.toContain(secret)
  })
})

describe('market-kpi.yaml', () => {
  it('takes a list where commas would do', () => {
    expect(load({ yaml: 'symbols: [AAPL, BRK.B]\nkafka_bootstrap_servers:\n  - a:1\n  - b:2\n' })).toMatchObject({
      symbols: 'AAPL,BRK.B',
      kafkaBootstrapServers: 'a:1,b:2',
    })
  })

  it('keeps a password of digits as it stands there', () => {
    expect(load({ yaml: 'postgres_password: 0123456789012345678901\n' }).postgresPassword).toBe(
      '0123456789012345678901',
    )
    expect(load({ yaml: 'postgres_password: 1e5\n' }).postgresPassword).toBe('1e5')
  })

  it('may be empty', () => {
    expect(load({ yaml: '# nothing yet\n' }).windowSeconds).toBe(300)
  })
})

describe.each(['.env', 'market-kpi.yaml'])('%s has to be a regular file of at most 1 MB', (name) => {
  /** What is said about the file that `make` puts there. */
  function said(make: (path: string) => void): string {
    using folder = temporaryFolder()
    make(join(folder.path, name))
    try {
      loadConfig({ env: {}, directory: folder.path })
    } catch (error) {
      if (error instanceof KpiError && error.code === 'KPI_CONFIG_INVALID') return error.message
      throw error
    }
    return ''
  }

  it.each<[string, (path: string) => void, string]>([
    ['a pipe, which nobody writes', (path) => execFileSync('mkfifo', [path]), 'it is not a regular file'],
    ['a device', (path) => symlinkSync('/dev/zero', path), 'it is not a regular file'],
    ['a folder', (path) => mkdirSync(path), 'it is not a regular file'],
    ['a huge file', (path) => writeFileSync(path, Buffer.alloc(1024 * 1024 + 1, '#')), 'it is larger than 1 MB'],
  ])('so %s is refused', (_, make, why) => {
    expect(said(make)).toBe(`${name} cannot be read: ${why}`)
  })

  it('so a link to one, and one of just 1 MB, are read', () => {
    const comment = `${'#'.repeat(1023)}\n`
    expect(said((path) => writeFileSync(path, comment.repeat(1024)))).toBe('')
    expect(
      said((path) => {
        writeFileSync(`${path}.there`, comment)
        symlinkSync(`${path}.there`, path)
      }),
    ).toBe('')
  })
})
