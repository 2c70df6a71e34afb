// kill −9 between every two steps of a commit, and in the middle of the database's part of it.
import { expect, it } from 'vitest'
import { seed } from '../../seed.ts'
import {
  countersOf,
  expectedRows,
  makeTrades,
  messageText,
  type Placed,
  place,
  send,
  type Trade,
  tableRows,
} from '../scenes/market.ts'
import { makePipeline, type Pipeline } from '../scenes/pipeline.ts'
import { type Run, runScript } from '../scenes/processes.ts'
import { until } from '../scenes/until.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'

const symbols = ['AAPL', 'MSFT', 'BTC/USDT', 'BRK.B', 'EURUSD=X', '^GSPC', 'X']

function doomed(step: string, env: Record<string, string>): Run {
  return runScript('test/integration/children/doomed-worker.ts', [step], env)
}

/** Sends a part of the trades; offsets go on where the part before ended. */
async function sendPart(pipeline: Pipeline, part: readonly Trade[], nextOffsets: number[]): Promise<Placed[]> {
  const values = part.map((trade) => ({ symbol: trade.symbol, value: messageText(trade) }))
  await send(pipeline.cluster, pipeline.config.kafkaTopic, values)
  return place(part, 3, nextOffsets)
}

it.each(['taken', 'written', 'mirrored'])(
  'nothing is lost or counted twice by kill −9 right after a batch is %s',
  async (step) => {
    await using pipeline = await makePipeline()
    const { env, owner } = pipeline
    const trades = makeTrades({ seed, count: 30_000, symbols })
    const nextOffsets: number[] = []
    const placed: Placed[] = []
    for (const part of [trades.slice(0, 10_000), trades.slice(10_000, 20_000)]) {
      placed.push(...(await sendPart(pipeline, part, nextOffsets)))
      const run = doomed(step, env)
      expect(await run.exited, run.stderr()).toEqual({ code: null, signal: 'SIGKILL' })
      const { merged } = await countersOf(owner)
      if (step === 'taken') expect(merged).toBeLessThan(placed.length)
      else expect(merged).toBeGreaterThan(0)
    }
    placed.push(...(await sendPart(pipeline, trades.slice(20_000), nextOffsets)))
    const worker = await startWorker(pipeline)
    await untilCounted(pipeline, trades.length)
    await worker.stop()
    expect(await tableRows(owner)).toEqual(expectedRows(placed))
    expect((await countersOf(owner)).merged).toBe(trades.length)
  },
)

it('nothing is lost or counted twice by kill −9 while the database commits', async () => {
  await using pipeline = await makePipeline()
  const { env, owner } = pipeline
  const trades = makeTrades({ seed, count: 10_000, symbols })
  const nextOffsets: number[] = []
  const placed = await sendPart(pipeline, trades.slice(0, 1000), nextOffsets)
  const first = await startWorker(pipeline)
  await untilCounted(pipeline, 1000)
  await first.stop()
  await owner.transaction(async (locker) => {
    await locker.query('SELECT FROM kpi_market_prices FOR UPDATE')
    placed.push(...(await sendPart(pipeline, trades.slice(1000), nextOffsets)))
    const run = doomed('never', env)
    await until(
      'a commit that waits for a row',
      () => owner.query<{ n: number }>({ text: blockedCommits }),
      ([row]) => (row?.n ?? 0) > 0,
      20_000,
    )
    run.child.kill('SIGKILL')
    await run.exited
  })
  const worker = await startWorker(pipeline)
  await untilCounted(pipeline, trades.length)
  await worker.stop()
  expect(await tableRows(owner)).toEqual(expectedRows(placed))
  expect((await countersOf(owner)).merged).toBe(trades.length)
})

const blockedCommits = `
  SELECT count(*)::integer AS n FROM pg_stat_activity
  WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%kpi_commit%'`
