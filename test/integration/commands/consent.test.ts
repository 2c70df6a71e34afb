// Commands that delete or replace data, on a terminal: they say what and how much, and do it only after a yes.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { marketOpenMs, messageText, send } from '../scenes/market.ts'
import { makePipeline, type Pipeline } from '../scenes/pipeline.ts'
import { until } from '../scenes/until.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'
import { onTerminal } from '../servers/own-terminal.ts'

let pipeline: Pipeline

beforeAll(async () => {
  pipeline = await makePipeline({ partitions: 1 })
  const worker = await startWorker(pipeline)
  const price = messageText({ symbol: 'AAPL', timestampMs: marketOpenMs, close: 100_000_000n, volume: 0n })
  const values = [price, '{', '[]'].map((value) => ({ symbol: 'AAPL', value }))
  await send(pipeline.cluster, pipeline.config.kafkaTopic, values)
  await untilCounted(pipeline, 3)
  await worker.stop()
})

afterAll(() => pipeline[Symbol.asyncDispose]())

/** Runs a command until its question, answers it, and tells the question, all that was shown, and the exit code. */
async function asked(args: readonly string[], keys: string) {
  const run = onTerminal(args, pipeline.env)
  const question = /[A-Z][^\n]*\? \[y\/N\] /
  await until(
    'the question',
    () => run.shown(),
    (shown) => question.test(shown),
  )
  run.type(keys)
  const code = await run.exited
  return { code, question: question.exec(run.shown())?.[0], shown: run.shown() }
}

const left = async () =>
  (
    await pipeline.owner.query({
      text: 'SELECT (SELECT count(*) FROM dead_letters) AS letters, count(*) AS rows FROM kpi_market_prices',
    })
  )[0]

it.each<[string, string[], RegExp]>([
  ['purge', ['dead-letters', 'purge', '--older-than', '0d'], /Delete 2 rejected messages of '.*'\?/],
  [
    'prune',
    ['prune', '--rows-older-than', '1h', '--letters-older-than', '1s'],
    /Delete 1 row \(1 message\) of windows before \S+ and 2 rejected messages from before \S+\?/,
  ],
  [
    'rebuild',
    ['rebuild', '--symbol', 'AAPL'],
    /Compute this range \(1 row\) again from the log and replace what differs\?/,
  ],
  [
    'rebuild --all',
    ['rebuild', '--all'],
    /Replace everything \(1 row, 2 rejected messages, the counters\) by what the log says\?/,
  ],
])('%s says what it does to how much, and changes nothing without a yes', async (_, args, question) => {
  for (const keys of ['n\n', '\n', '\x03', '\x04']) {
    const { code, shown, ...run } = await asked(args, keys)
    expect(run.question).toMatch(question)
    expect(shown).toContain('nothing was changed')
    expect(code).toBe(1)
  }
  expect(await left()).toEqual({ letters: 2, rows: 1 })
})

it('a yes deletes', async () => {
  const { code, shown } = await asked(['dead-letters', 'purge', '--reason', 'not_json'], 'y\n')
  expect(shown).toContain('deleted 1 rejected message')
  expect(code).toBe(0)
  expect(await left()).toEqual({ letters: 1, rows: 1 })
})
