// `init` on servers that are there already.
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { createPartitionsV3 } from '#kafka-protocol'
import { loadConfig } from '../../../src/config/load.ts'
import { KafkaCluster } from '../../../src/kafka/client/cluster.ts'
import { prepareTopic } from '../../../src/kafka/client/topic.ts'
import { prepareForUp } from '../../../src/services/prepare.ts'
import { RecordingLog } from '../../recording-log.ts'
import { deleteTopic } from '../scenes/kafka-topic.ts'
import { makeTrades, messageText, send } from '../scenes/market.ts'
import { makePipeline } from '../scenes/pipeline.ts'
import { marketKpi } from '../scenes/processes.ts'
import { until } from '../scenes/until.ts'
import { query } from '../scenes/up-process.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'

let name: string
let url: string
let env: Record<string, string>
beforeEach(() => {
  name = `test-${randomBytes(6).toString('hex')}`
  url = addressOf(inject('ownerUrl'), { database: name })
  env = {
    KAFKA_BOOTSTRAP_SERVERS: inject('bootstrap'),
    KAFKA_TOPIC: name,
    KAFKA_GROUP: name,
    DATABASE_URL: url,
    POSTGRES_SSLMODE: 'disable',
    BI_USER_PASSWORD: inject('pipelinePassword'),
    BI_READER_PASSWORD: inject('readerPassword'),
  }
})
afterEach(async () => {
  await query(inject('ownerUrl'), `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`)
})

function addressOf(server: string, changes: { database?: string; user?: string; password?: string }): string {
  const address = new URL(server)
  if (changes.database !== undefined) address.pathname = `/${changes.database}`
  if (changes.user !== undefined) address.username = changes.user
  if (changes.password !== undefined) address.password = changes.password
  return address.href
}

/** As the role of the pipeline, which owns nothing. */
const pipelineUrl = () => addressOf(url, { user: 'bi_user', password: inject('pipelinePassword') })
const noPasswords = { BI_USER_PASSWORD: '', BI_READER_PASSWORD: '' }

/** What `init` and `up` do. @returns The lines that they say. */
async function init(more: Record<string, string> = {}): Promise<string[]> {
  const log = new RecordingLog()
  await prepareForUp(loadConfig({ env: { ...env, ...more } }), log)
  return log.lines.map((line) => line.replace('info: ', ''))
}

it('says what it did, and has nothing to do the second time', async () => {
  const first = marketKpi(['init'], env)
  expect(await first.exited).toEqual({ code: 0, signal: null })
  const lines = first.stdout().trimEnd().split('\n')
  expect(lines[0]).toBe(`created the topic '${name}' with 3 partitions`)
  expect(lines[1]).toBe(`created the database '${name}'`)
  expect(lines).toContain('applied the migration 0001_windows-and-positions')
  expect(lines.at(-1)).toBe(`the database now holds topic '${name}', windows of 300 s`)
  const second = marketKpi(['init'], env)
  expect(await second.exited).toEqual({ code: 0, signal: null })
  expect(second.stdout()).toBe('everything is there already\n')
  expect(first.stderr() + second.stderr()).toBe('')
})

it('is done once by several at the same moment, and all of them end well', async () => {
  const lines = (await Promise.all([init(), init(), init()])).flat()
  const once = lines.filter((line) => /^applied the migration|^the database now holds/.test(line))
  expect(new Set(once).size).toBe(once.length)
  expect(once.length).toBeGreaterThan(2)
  expect(await init()).toEqual([])
})

it('gives the roles the passwords that it is told', async () => {
  await init()
  expect(await query(pipelineUrl(), 'SELECT count(*) FROM kpi_market_prices')).toEqual([{ count: 0 }])
})

describe('a topic that is there', () => {
  it('with fewer partitions than wanted is refused, with what to do', async () => {
    await init({ KAFKA_PARTITIONS: '2' })
    await expect(init({ KAFKA_PARTITIONS: '4' })).rejects.toMatchObject({
      code: 'KPI_TOPIC_MISMATCH',
      message: `the topic '${name}' has 2 partitions, KAFKA_PARTITIONS asks for 4: add partitions to the topic, or set KAFKA_PARTITIONS=2`,
    })
  })

  it('with more partitions is taken, with a remark', async () => {
    const cluster = new KafkaCluster({ bootstrap: [inject('bootstrap')], clientId: name })
    await prepareTopic(cluster, { topic: name, partitions: 1, replicationFactor: 1 })
    const more = [{ name, count: 5, assignments: null }]
    await cluster.request('any', 'control', createPartitionsV3.api, more, 10_000, false)
    await cluster.close()
    expect(await init()).toContain(`the topic '${name}' has 5 partitions (KAFKA_PARTITIONS=3): all are used`)
  })
})

it.each([
  ['WINDOW_SECONDS', '60', '300'],
  ['ALLOWED_LATENESS_SECONDS', '10', '120'],
  ['DECIMALS', '12', '8'],
  ['KAFKA_GROUP', 'other', 'NAME'],
])('a database of another %s is refused, with both values', async (setting, value, held) => {
  await init()
  await expect(init({ [setting]: value })).rejects.toMatchObject({
    code: 'KPI_DEFINITION_MISMATCH',
    message: `the database at ${new URL(url).host}/${name} holds ${setting} ${held.replace('NAME', name)} (here: ${value}): set it back, or run 'market-kpi rebuild --all' to change it`,
  })
})

describe('a role without rights', () => {
  let limited: string
  let limitedUrl: string
  beforeEach(async () => {
    limited = `limited_${name.slice('test-'.length)}`
    limitedUrl = addressOf(url, { user: limited, password: 'p' })
    await query(inject('ownerUrl'), `CREATE ROLE ${limited} LOGIN PASSWORD 'p'`)
  })
  afterEach(async () => {
    await query(inject('ownerUrl'), `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`)
    await query(inject('ownerUrl'), `DROP ROLE ${limited}`)
  })

  const refused = (message: RegExp) => ({
    code: 'KPI_POSTGRES_RIGHTS',
    message: expect.stringMatching(message),
  })

  it('may not create the database', async () => {
    await expect(init({ DATABASE_URL: limitedUrl })).rejects.toMatchObject(
      refused(/^PostgreSQL at [\d.:]+\/postgres: permission denied to create database; log in as [^\n]+$/),
    )
  })

  it('may not create tables in the database of another', async () => {
    await query(inject('ownerUrl'), `CREATE DATABASE "${name}"`)
    await expect(init({ DATABASE_URL: limitedUrl })).rejects.toMatchObject(
      refused(
        /^PostgreSQL at \S+: the role 'limited_\w+' may not create tables in the schema 'public'; let its owner [^\n]+$/,
      ),
    )
  })

  it('may not upgrade the tables of another', async () => {
    await init()
    await query(
      url,
      `DELETE FROM kpi_migrations; GRANT CREATE ON SCHEMA public TO ${limited}; GRANT SELECT ON kpi_migrations TO ${limited}`,
    )
    await expect(init({ DATABASE_URL: limitedUrl })).rejects.toMatchObject(
      refused(/^PostgreSQL at \S+: the role 'limited_\w+' does not own the tables; let its owner [^\n]+$/),
    )
  })

  it('may not give roles a password', async () => {
    await query(inject('ownerUrl'), `CREATE DATABASE "${name}" OWNER ${limited}`)
    await expect(init({ DATABASE_URL: limitedUrl, BI_USER_PASSWORD: 'another one' })).rejects.toMatchObject(
      refused(/^PostgreSQL at \S+: permission denied to alter role; log in as [^\n]+$/),
    )
  })

  it('needs none of these where it owns the database and the roles are there', async () => {
    await query(inject('ownerUrl'), `CREATE DATABASE "${name}" OWNER ${limited}`)
    const own = { DATABASE_URL: limitedUrl, ...noPasswords }
    expect((await init(own)).at(-1)).toBe(`the database now holds topic '${name}', windows of 300 s`)
    expect(await init(own)).toEqual([])
    expect(await query(pipelineUrl(), 'SELECT count(*) FROM kpi_market_prices')).toEqual([{ count: 0 }])
  })

  it('needs none at all on a prepared database, as `up` with the login of the pipeline', async () => {
    await init()
    expect(await init({ DATABASE_URL: pipelineUrl(), ...noPasswords })).toEqual([])
    await expect(init({ DATABASE_URL: pipelineUrl(), ...noPasswords, WINDOW_SECONDS: '60' })).rejects.toMatchObject({
      code: 'KPI_DEFINITION_MISMATCH',
    })
  })
})

describe('a topic that was deleted and created again', () => {
  it('is refused until it is accepted; then what came from the old one stands apart, and reading begins at its start', async () => {
    await using pipeline = await makePipeline()
    const { cluster, config, metadata, owner, ownerUrl } = pipeline
    const values = makeTrades({ seed: 7, count: 200, symbols: ['AAPL', 'MSFT'] })
      .map((trade) => ({ symbol: trade.symbol, value: messageText(trade) }))
      .concat({ symbol: 'AAPL', value: 'no JSON' })
    await send(cluster, config.kafkaTopic, values)
    const worker = await startWorker(pipeline)
    await untilCounted(pipeline, values.length)
    await worker.stop()
    const before = await owner.query({
      text: 'SELECT to_jsonb(k) AS row FROM kpi_market_prices k ORDER BY symbol, window_start',
    })
    await deleteTopic(cluster, config.kafkaTopic)
    await until(
      'gone',
      () => cluster.topicMetadata(config.kafkaTopic).catch(({ code }) => code),
      (found) => found === 'KPI_TOPIC_MISSING',
    )
    const anew = { ...env, ...pipeline.env, DATABASE_URL: ownerUrl }
    await expect(init(anew)).rejects.toMatchObject({
      code: 'KPI_TOPIC_RECREATED',
      message: expect.stringMatching(/'market-kpi init --accept-new-topic' keeps the old rows apart/),
    })
    const asking = marketKpi(['init', '--accept-new-topic'], anew)
    expect(await asking.exited).toEqual({ code: 2, signal: null })
    expect(asking.stderr()).toMatch(/^init --accept-new-topic asks before it changes data, [^\n]+\n$/)
    const dry = marketKpi(['init', '--accept-new-topic', '--dry-run'], anew)
    expect(await dry.exited, dry.stderr()).toEqual({ code: 0, signal: null })
    expect(dry.stdout()).toMatch(
      new RegExp(
        `^would move ${before.length} rows and 1 rejected message of the old topic '.*' to the archive, .*\nnothing was changed\n$`,
      ),
    )
    expect(await owner.query({ text: 'SELECT FROM kpi_archived_prices' })).toEqual([])
    const accepting = marketKpi(['init', '--accept-new-topic', '--yes'], anew)
    expect(await accepting.exited).toEqual({ code: 0, signal: null })
    expect(accepting.stdout()).toMatch(
      new RegExp(
        `^archived ${before.length} rows under the old topic id ${metadata.topicId}; starting with [\\w-]+$`,
        'm',
      ),
    )
    const archived =
      "SELECT row_data AS row FROM kpi_archived_prices ORDER BY row_data->>'symbol', row_data->>'window_start'"
    expect(await owner.query({ text: archived })).toEqual(before)
    const letters = `SELECT topic_id AS "topicId", letter->>'reason' AS reason FROM kpi_archived_letters`
    expect(await owner.query({ text: letters })).toEqual([{ topicId: metadata.topicId, reason: 'not_json' }])
    expect(await owner.query({ text: 'SELECT FROM kpi_market_prices UNION ALL SELECT FROM dead_letters' })).toEqual([])
    await send(cluster, config.kafkaTopic, values.slice(0, 50))
    const next = await startWorker(pipeline)
    await untilCounted(pipeline, 50)
    await next.stop()
    expect(await init(anew)).toEqual([])
  })
})
