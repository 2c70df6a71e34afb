// A role whose settings change what statements mean and how results are written. Nothing here may notice: each connection
// sets what it depends on.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { pipelineRole } from '../../../src/embedded/postgres/postgres-server.ts'
import { openDatabase, postgresOptions, withClient } from '../../../src/store/client/connection.ts'
import { withProbe } from '../../../src/store/client/probe.ts'
import { AlertReceiver, watchAlerts } from '../scenes/alerting.ts'
import { sendNow } from '../scenes/observing.ts'
import { makePipeline, type Pipeline } from '../scenes/pipeline.ts'
import { marketKpi } from '../scenes/processes.ts'
import { until } from '../scenes/until.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'

let pipeline: Pipeline
let receiver: AlertReceiver

const hostile: Readonly<Record<string, string>> = {
  search_path: 'evil, pg_catalog, public',
  DateStyle: 'German, DMY',
  IntervalStyle: 'sql_standard',
  TimeZone: 'Asia/Kathmandu',
  client_encoding: 'LATIN1',
  extra_float_digits: '-15',
  bytea_output: 'escape',
  standard_conforming_strings: 'off',
  array_nulls: 'off',
  transform_null_equals: 'on',
  default_transaction_isolation: 'serializable',
  default_transaction_read_only: 'on',
  row_security: 'off',
  idle_session_timeout: '300ms',
  idle_in_transaction_session_timeout: '100ms',
  lock_timeout: '1ms',
}

/** Every table empty, every function wrong, in a schema that comes first. */
const evilSchema = `
  CREATE SCHEMA evil;
  DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v') LOOP
      EXECUTE format('CREATE TABLE evil.%I (LIKE public.%I)', name, name);
    END LOOP;
  END $$;
  CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT timestamptz 'epoch' $$;
  CREATE FUNCTION evil.pg_backend_pid() RETURNS int LANGUAGE sql AS 'SELECT 1';
  CREATE FUNCTION evil.set_config(text, text, boolean) RETURNS text LANGUAGE sql AS 'SELECT $2';
  CREATE FUNCTION evil.current_setting(text, boolean) RETURNS text LANGUAGE sql AS 'SELECT NULL::text';
  CREATE FUNCTION evil.kpi_instant(bigint) RETURNS timestamptz LANGUAGE sql AS $$ SELECT timestamptz 'epoch' $$;
  GRANT USAGE ON SCHEMA evil TO PUBLIC;
  GRANT ALL ON ALL TABLES IN SCHEMA evil TO PUBLIC`

beforeAll(async () => {
  pipeline = await makePipeline({ partitions: 1 })
  receiver = await AlertReceiver.start()
  const worker = await startWorker(pipeline)
  await sendNow(pipeline, 100, 10)
  await untilCounted(pipeline, 100)
  await worker.stop()
  const silence = marketKpi(['alerts', 'silence', 'KpiStale', '--for', '1h', '--comment', 'ä test'], pipeline.env)
  expect(await silence.exited).toMatchObject({ code: 0 })
  // An alert in the history, with all its times.
  const watching = watchAlerts(pipeline.env, receiver)
  await receiver.untilTold('NoConsumer', ['firing'])
  watching.child.kill('SIGTERM')
  await watching.exited
})

afterAll(async () => {
  await receiver.stop()
  await pipeline[Symbol.asyncDispose]()
})

interface Answer {
  readonly args: readonly string[]
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

async function run(...args: string[]): Promise<Answer> {
  const command = marketKpi(args, pipeline.env)
  const { code } = await command.exited
  return { args, code, stdout: command.stdout(), stderr: command.stderr() }
}

/** Every command that reads the database and whose answer is the same each time. */
const steady = [
  ['dead-letters', 'list'],
  ['dead-letters', 'list', '--json'],
  ['dead-letters', 'show', '0', '0'],
  ['alerts', 'list', '--json'],
  ['alerts', 'history', '--json'],
  ['offsets', 'show'],
  ['verify'],
  ['rebuild', '--dry-run', '--all'],
]

it('every command answers as it does to a role without settings, and a worker and an evaluator do their work', async () => {
  const before: Answer[] = []
  for (const args of steady) before.push(await run(...args))
  const { pathname } = new URL(pipeline.ownerUrl)
  const database = `"${pathname.slice(1)}"`
  await pipeline.owner.query({ text: evilSchema })
  for (const [name, value] of Object.entries(hostile)) {
    const list = name === 'search_path' ? value : `'${value}'`
    await pipeline.owner.query({ text: `ALTER ROLE ${pipelineRole} IN DATABASE ${database} SET ${name} = ${list}` })
  }
  const after: Answer[] = []
  for (const args of steady) after.push(await run(...args))
  const timed = /\d+(\.\d+)? (m?s|messages\/s)\b|[\d,]+ms|(?<=^seconds +)\d+\.\d$/gm
  const comparable = ({ stdout, ...rest }: Answer) => ({ ...rest, stdout: stdout.replace(timed, '') })
  expect(after.map(comparable)).toEqual(before.map(comparable))
  expect(after.filter(({ code, stdout }) => code !== 0 || stdout === '')).toEqual([])

  // Others whose answer depends on the time.
  const monitor = await run('monitor', '--once')
  expect(monitor.stdout).toContain('SYM9')
  expect(monitor.stderr).toBe('')
  const health = await run('health')
  expect(health.stdout).toMatch(/^KPI table: OK - \d+ rows$/m)
  const prune = marketKpi(['prune', '--dry-run'], { ...pipeline.env, PRUNE_ROWS_OLDER_THAN: '1d' })
  expect(await prune.exited).toMatchObject({ code: 0 })

  const worker = await startWorker(pipeline)
  await sendNow(pipeline, 100, 10)
  await untilCounted(pipeline, 200)
  expect((await run('verify')).code).toBe(0)
  const watching = watchAlerts(pipeline.env, receiver)
  await receiver.untilTold('NoConsumer', ['firing', 'resolved'])
  await until('written', watching.stderr, (said) => !said.includes('not kept'))
  watching.child.kill('SIGTERM')
  expect(await watching.exited).toMatchObject({ code: 0 })
  await worker.stop()
})

it('each way to a connection sets the session up', async () => {
  const options = postgresOptions(pipeline.config)
  const text = `SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) AS all FROM pg_catalog.pg_settings
    WHERE name = ANY ($1)`
  const names = Object.keys(hostile).filter((name) => !/timeout/.test(name))
  const values = [names]
  const expected =
    'DateStyle=ISO, MDY IntervalStyle=postgres TimeZone=UTC array_nulls=on bytea_output=hex client_encoding=UTF8 ' +
    'default_transaction_isolation=read committed default_transaction_read_only=off extra_float_digits=1 ' +
    'row_security=on search_path=public standard_conforming_strings=on transform_null_equals=off'
  const byWords = (rows: { all: string }[]) => rows[0]?.all.split(/ (?=\w+=)/).sort()
  const wanted = expected.split(/ (?=\w+=)/).sort()
  const database = await openDatabase(options, { maxConnections: 1, applicationName: 'test' })
  expect(byWords(await database.query<{ all: string }>({ text, values }))).toEqual(wanted)
  await database.close()
  expect(byWords((await withClient(options, (client) => client.query(text, values))).rows)).toEqual(wanted)
  const limits = { connectTimeoutMs: 2500, statementTimeoutMs: 2000, applicationName: 'test' }
  const never = new AbortController().signal
  expect(byWords(await withProbe(options, limits, never, (probe) => probe.query(text, values)))).toEqual(wanted)
})
