// Rules of a market-kpi.yaml against the real tables.
import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { judgeUserRules } from '../../../src/alerts/user-rules/judge.ts'
import { parseUserRules } from '../../../src/config/user-rules.ts'
import { openDatabase, postgresOptions, readerOptions } from '../../../src/store/client/connection.ts'
import { messageText, send } from '../scenes/market.ts'
import { makePipeline, type Pipeline } from '../scenes/pipeline.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'

const minuteMs = 60_000

/** Prices of two symbols over the last minutes: one that moves from 100 to 105, one that stays. */
async function withPrices(pipeline: Pipeline): Promise<void> {
  const worker = await startWorker(pipeline)
  const nowMs = Date.now()
  const trade = (symbol: string, agoMs: number, close: number) => ({
    symbol,
    value: messageText({
      symbol,
      timestampMs: nowMs - agoMs,
      close: BigInt(close) * 100_000_000n,
      volume: 1_000_000_000n,
    }),
  })
  const moving = [100, 101, 102, 105].map((close, index) => trade('MOVES', (4 - index) * minuteMs, close))
  const steady = [50, 50, 50].map((close, index) => trade('STAYS', (4 - index) * minuteMs, close))
  await send(pipeline.cluster, pipeline.config.kafkaTopic, [...moving, ...steady])
  await untilCounted(pipeline, 7)
  await worker.stop()
}

async function judge({ config }: Pipeline, ...rules: object[]) {
  const found = await judgeUserRules({
    postgres: postgresOptions(config),
    reader: readerOptions(config),
    rules: parseUserRules({ rules }, []),
    windowSeconds: config.windowSeconds,
    now: Date.now,
  })
  return found.map(({ rule, labels, summary, value, isUnknown }) => ({ rule, labels, summary, value, isUnknown }))
}

const kpi = (measure: string, more: object) => ({ measure, within: '30m', ...more })

it('a KPI condition finds the symbols that fit, by each measure', async () => {
  await using pipeline = await makePipeline()
  await withPrices(pipeline)
  const found = await judge(
    pipeline,
    {
      name: 'BigMove',
      kpi: kpi('close_change_percent', { above: '3' }),
      summary: '{symbol} moved {value} %',
      labels: { team: 'desk' },
    },
    { name: 'Calm', kpi: kpi('volatility_percent', { below: '1' }) },
    { name: 'Many', kpi: kpi('trade_count', { above: '3' }) },
    { name: 'Heavy', kpi: kpi('volume', { above: '30', symbols: 'ST*' }) },
    { name: 'Far', kpi: kpi('vwap_distance_percent', { above: '2' }) },
  )
  expect(found).toMatchObject([
    { rule: 'BigMove', labels: { symbol: 'MOVES', team: 'desk' }, summary: 'MOVES moved 5 %', value: 5 },
    { rule: 'Calm', labels: { symbol: 'STAYS' }, value: 0 },
    { rule: 'Many', labels: { symbol: 'MOVES' }, value: 4 },
    { rule: 'Far', labels: { symbol: 'MOVES' }, value: expect.closeTo((100 * (105 - 102)) / 102, 6) },
  ])
})

it('looks back no further than it says, and one window', async () => {
  await using pipeline = await makePipeline()
  await withPrices(pipeline)
  const postgres = postgresOptions(pipeline.config)
  const reader = readerOptions(pipeline.config)
  const rules = parseUserRules({ rules: [{ name: 'Many', kpi: kpi('trade_count', { above: '0' }) }] }, [])
  const later = () => Date.now() + 40 * minuteMs
  const { windowSeconds } = pipeline.config
  expect(await judgeUserRules({ postgres, reader, rules, windowSeconds, now: later })).toEqual([])
})

it('each row of a query is an alert, its columns are labels', async () => {
  await using pipeline = await makePipeline()
  await withPrices(pipeline)
  const sql = 'SELECT symbol, max_close AS value FROM kpi_market_prices ORDER BY max_close DESC LIMIT 1; '
  expect(
    await judge(pipeline, { name: 'Dearest', sql, summary: '{symbol} at {value}, {team}', labels: { team: 'x' } }),
  ).toEqual([
    {
      rule: 'Dearest',
      labels: { symbol: 'MOVES', team: 'x' },
      summary: 'MOVES at 105, x',
      value: 105,
      isUnknown: false,
    },
  ])
})

it('a query can neither write, nor run for long, nor be two; the rules beside it are judged', async () => {
  await using pipeline = await makePipeline()
  await pipeline.owner.query({
    text: 'CREATE FUNCTION forget() RETURNS int LANGUAGE sql AS $$ DELETE FROM worker_status RETURNING 1 $$',
  })
  const found = await judge(
    pipeline,
    { name: 'Writes', sql: 'SELECT forget() AS value' },
    { name: 'Ends', sql: 'SELECT 1) x; COMMIT; DELETE FROM worker_status; SELECT * FROM (SELECT 1' },
    { name: 'Sleeps', sql: 'SELECT pg_sleep(60)' },
    { name: 'Nonsense', sql: 'SELECT nonsense' },
    { name: 'Text', sql: `SELECT 'much' AS value` },
    { name: 'Good', sql: 'SELECT 1 AS value' },
  )
  const failing = found.filter(({ rule }) => rule === 'UserRuleFailing')
  expect(failing.map(({ labels }) => labels.rule)).toEqual(['Writes', 'Ends', 'Sleeps', 'Nonsense', 'Text'])
  expect(failing[0]?.summary).toContain('read-only transaction')
  expect(failing[1]?.summary).toContain('multiple commands')
  expect(failing[4]?.summary).toContain("the column 'value' of the rule Text is no number")
  // A rule that cannot be judged ends nothing that it found before.
  expect(found.filter(({ isUnknown }) => isUnknown).map(({ rule }) => rule)).toEqual(
    failing.map(({ labels }) => labels.rule),
  )
  expect(found.at(-1)).toMatchObject({ rule: 'Good', value: 1 })
})

it('without the database nothing is known, and no rule is blamed', async () => {
  await using pipeline = await makePipeline()
  const away = { ...pipeline, config: { ...pipeline.config, databaseUrl: 'postgresql://nobody@127.0.0.1:1/nothing' } }
  const found = await judge(away, { name: 'Good', sql: 'SELECT 1 AS value' })
  expect(found).toMatchObject([{ rule: 'Good', isUnknown: true }])
})

it('a query runs as bi_reader, and nothing in its text makes it another role', async () => {
  await using pipeline = await makePipeline()
  await pipeline.owner.query({ text: 'CREATE TABLE tried (by text); GRANT INSERT ON tried TO bi_user' })
  const pid = await sessionOf(pipeline)
  const escapes: Record<string, string> = {
    Kills: `SELECT pg_terminate_backend(${pid.pid}) AS value`,
    Resets: `SELECT set_config('role', 'bi_user', false) AS role`,
    Impersonates: `SELECT set_config('session_authorization', 'bi_user', false) AS role`,
    Opens: `SELECT set_config('transaction_read_only', 'off', false) AS value`,
    Leaves: 'SELECT 1) x; RESET ROLE; SELECT * FROM (SELECT 1',
    Writes: `SELECT 1 AS value FROM pg_catalog.lo_create(0)`,
    Reads: `SELECT rolpassword FROM pg_authid`,
  }
  const rules = Object.entries(escapes).map(([name, sql]) => ({ name, sql }))
  const found = await judge(
    pipeline,
    { name: 'Who', sql: 'SELECT current_user AS me, session_user AS first' },
    ...rules,
    {
      name: 'Still',
      sql: `SELECT current_user AS me, current_setting('transaction_read_only') AS "readOnly"`,
    },
  )
  expect(found.find(({ rule }) => rule === 'Who')?.labels).toEqual({ me: 'bi_reader', first: 'bi_reader' })
  expect(found.find(({ rule }) => rule === 'Still')?.labels).toEqual({ me: 'bi_reader', readOnly: 'on' })
  const failing = found.filter(({ rule }) => rule === 'UserRuleFailing').map(({ labels }) => labels.rule)
  expect(failing).toEqual(Object.keys(escapes))
  expect(await pid.isAlive()).toBe(true)
  await pid.end()
})

/** A session of the pipeline's. */
async function sessionOf({ config }: Pipeline) {
  const database = await openDatabase(postgresOptions(config), { maxConnections: 1, applicationName: 'test' })
  const pidOf = async () => (await database.query<{ pid: number }>({ text: 'SELECT pg_backend_pid() AS pid' }))[0]?.pid
  const pid = await pidOf()
  return { pid, isAlive: async () => (await pidOf()) === pid, end: () => database.close() }
}

it('a rule that ends its own session is blamed, and the rules after it are judged', async () => {
  await using pipeline = await makePipeline()
  const found = await judge(
    pipeline,
    { name: 'Before', sql: 'SELECT 1 AS value' },
    { name: 'Ends', sql: 'SELECT pg_terminate_backend(pg_backend_pid()) AS value' },
    { name: 'After', sql: 'SELECT 2 AS value' },
  )
  expect(found.map(({ rule, labels, isUnknown }) => [rule, labels.rule, isUnknown])).toEqual([
    ['Before', undefined, false],
    ['Ends', undefined, true],
    ['UserRuleFailing', 'Ends', false],
    ['After', undefined, false],
  ])
})

it('without a login for bi_reader each query is reported with the setting that is missing', async () => {
  await using pipeline = await makePipeline()
  const { readerRolePassword: _, ...config } = pipeline.config
  const found = await judge(
    { ...pipeline, config: { ...config, readerRolePassword: undefined } },
    {
      name: 'Sql',
      sql: 'SELECT 1 AS value',
    },
  )
  expect(found).toMatchObject([
    { rule: 'Sql', isUnknown: true },
    { rule: 'UserRuleFailing', summary: expect.stringContaining('set BI_READER_PASSWORD') },
  ])
})

it('a role that may open no more connections is reported with each query', async () => {
  await using pipeline = await makePipeline()
  const role = `full_${randomBytes(4).toString('hex')}`
  await pipeline.owner.query({ text: `CREATE ROLE ${role} LOGIN CONNECTION LIMIT 0 PASSWORD 'x'` })
  try {
    const found = await judgeUserRules({
      postgres: postgresOptions(pipeline.config),
      reader: { ...readerOptions(pipeline.config), user: role, password: 'x' },
      rules: parseUserRules({ rules: [{ name: 'Sql', sql: 'SELECT 1 AS value' }] }, []),
      windowSeconds: 300,
      now: Date.now,
    })
    expect(found).toMatchObject([
      { rule: 'Sql', isUnknown: true },
      { rule: 'UserRuleFailing', summary: expect.stringContaining('too many connections for role') },
    ])
  } finally {
    await pipeline.owner.query({ text: `DROP ROLE ${role}` })
  }
})
