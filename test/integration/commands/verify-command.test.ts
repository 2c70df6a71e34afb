// verify as a command: what it prints, and how it ends.
import { expect, inject, it } from 'vitest'
import { marketOpenMs, messageText, send } from '../scenes/market.ts'
import { makePipeline, type Pipeline } from '../scenes/pipeline.ts'
import { marketKpi } from '../scenes/processes.ts'
import { deleteRecords } from '../scenes/verification.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'

async function run(env: Record<string, string>, ...args: string[]) {
  const command = marketKpi(['verify', ...args], env)
  const { code } = await command.exited
  return { code, stdout: command.stdout(), stderr: command.stderr() }
}

const trade = (minute: number) =>
  messageText({
    symbol: 'AAPL',
    timestampMs: marketOpenMs + minute * 60_000,
    close: 250_000_000n,
    volume: 100_000_000n,
  })

async function preparedPipeline(): Promise<Pipeline> {
  const pipeline = await makePipeline({ partitions: 1 })
  const values = [trade(0), trade(1), '{', trade(7), trade(12)]
  await send(
    pipeline.cluster,
    pipeline.config.kafkaTopic,
    values.map((value) => ({ symbol: 'AAPL', value })),
  )
  const worker = await startWorker(pipeline)
  await untilCounted(pipeline, values.length)
  await worker.stop()
  return pipeline
}

it('ends with 0 when all is right, 1 when the log has forgotten, 2 when something differs, and tells it', async () => {
  await using pipeline = await preparedPipeline()
  const { env, owner, metadata } = pipeline
  const right = await run(env)
  expect(right).toMatchObject({ code: 0, stderr: '' })
  expect(right.stdout.replace(/\d+\.\d$/m, 'S')).toBe(`checked
messages read         5
rows compared         3
rejected messages     1
differences           0
not whole in the log  0 windows
seconds               S

OK: the tables are what the log of '${metadata.topic}' says
`)

  await deleteRecords(pipeline, 0, 1)
  const forgotten = await run(env)
  expect(forgotten.code).toBe(1)
  expect(forgotten.stdout).toMatch(/^NOT WHOLE AAPL 2026-02-14T14:30:00Z: 2 messages in the row, 1 in the log$/m)
  expect(forgotten.stdout).toMatch(/^the log of partition 0 no longer holds offsets 0 to 0, which are in the rows$/m)
  expect(forgotten.stdout).toMatch(/^WARNING: the log of '.*' no longer holds 1 window whole; all others are right$/m)

  await owner.query({
    text: `UPDATE kpi_market_prices SET close_price = 3 WHERE window_start > to_timestamp($1)`,
    values: [marketOpenMs / 1000],
  })
  const wrong = await run(env, '--show', '1')
  expect(wrong.code).toBe(2)
  expect(wrong.stdout).toMatch(/^DIFFERS AAPL 2026-02-14T14:35:00Z close_price: table 3, recomputed 2.5$/m)
  expect(wrong.stdout).toMatch(/^and 1 difference more/m)
  expect(wrong.stdout).toMatch(/^FAILED: /m)

  const json = await run(
    env,
    '--json',
    '--from',
    '2026-02-14T14:40Z',
    '--to',
    '2026-02-14T14:45Z',
    '--symbol',
    'AAPL',
    'MSFT',
  )
  expect(json.code).toBe(2)
  expect(JSON.parse(json.stdout)).toMatchObject({
    rows: 1,
    differenceCount: 1,
    differences: [
      { symbol: 'AAPL', window: '2026-02-14T14:40:00Z', column: 'close_price', table: '3', recomputed: '2.5' },
    ],
    uncheckedCount: 0,
    messages: 4,
  })
})

it('ends with 3 and one line when it cannot find out', async () => {
  await using pipeline = await makePipeline({ partitions: 1 })
  const { env } = pipeline
  const cases: [Record<string, string>, string[], RegExp][] = [
    [{ ...env, KAFKA_TOPIC: 'there-is-none' }, [], /there-is-none/],
    [{ ...env, KAFKA_BOOTSTRAP_SERVERS: '127.0.0.1:1' }, [], /127\.0\.0\.1:1/],
    [{ ...env, WINDOW_SECONDS: '60' }, [], /WINDOW_SECONDS 300 \(here: 60\)/],
    [env, ['--from', 'yesterday'], /--from/],
  ]
  for (const [environment, args, line] of cases) {
    const { code, stdout, stderr } = await run(environment, ...args)
    expect({ code, stdout, lines: stderr.split('\n').length }).toEqual({ code: 3, stdout: '', lines: 2 })
    expect(stderr).toMatch(line)
  }
})

it('needs no more than the rights of a reader', async () => {
  await using pipeline = await preparedPipeline()
  const reader = new URL(pipeline.env.DATABASE_URL ?? '')
  reader.username = 'bi_reader'
  reader.password = inject('readerPassword')
  expect(await run({ ...pipeline.env, DATABASE_URL: reader.href })).toMatchObject({ code: 0 })
})
