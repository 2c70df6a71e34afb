// A worker that dies or freezes between any two steps of getting partitions, giving them up, and stopping.
import { describe, expect, it } from 'vitest'
import { workerSteps } from '../../../src/consumer/worker-steps.ts'
import { seed } from '../../seed.ts'
import { countersOf, expectedRows, makeTrades, messageText, place, send, tableRows } from '../scenes/market.ts'
import { makePipeline } from '../scenes/pipeline.ts'
import { type Run, runScript } from '../scenes/processes.ts'
import { until } from '../scenes/until.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'

const symbols = Array.from({ length: 30 }, (_, index) => `SYM${index}`)
const partitions = 3
const partSize = 4000

type Phase = keyof typeof workerSteps
const phases: readonly Phase[] = ['assignment', 'revocation', 'shutdown']
const steps = phases.flatMap((phase) => workerSteps[phase].map((step) => ({ phase, step })))

async function untilPrinted(run: Run, line: string): Promise<void> {
  await until(
    `the line ${line}`,
    () => run.stdout(),
    (text) => text.split('\n').includes(line),
    30_000,
  )
}

/** Lets a worker get as far as the step while messages come in; another takes over, and everything must be counted once. */
async function handOver(scene: { phase: Phase; step: string; signal: 'SIGKILL' | 'SIGSTOP' }): Promise<void> {
  await using pipeline = await makePipeline()
  const { cluster, config, env, owner } = pipeline
  const trades = makeTrades({ seed, count: 3 * partSize, symbols })
  const sendPart = (part: number) =>
    send(
      cluster,
      config.kafkaTopic,
      trades
        .slice(part * partSize, (part + 1) * partSize)
        .map((trade) => ({ symbol: trade.symbol, value: messageText(trade) })),
    )
  await sendPart(0)
  const run = runScript('test/integration/children/doomed-worker.ts', [scene.step, scene.signal], env)
  if (scene.phase !== 'assignment') await untilCounted(pipeline, partSize)
  await sendPart(1)
  if (scene.phase === 'shutdown') run.child.kill('SIGTERM')
  if (scene.phase === 'assignment') await untilPrinted(run, scene.step)
  const next = await startWorker(pipeline)
  await untilPrinted(run, scene.step)
  await sendPart(2)
  await untilCounted(pipeline, trades.length)
  run.child.kill('SIGCONT')
  run.child.kill('SIGTERM')
  const expected = scene.signal === 'SIGKILL' ? { code: null, signal: 'SIGKILL' } : { code: 0, signal: null }
  expect(await run.exited, run.stderr()).toEqual(expected)
  await next.stop()
  expect(await tableRows(owner)).toEqual(expectedRows(place(trades, partitions)))
  expect((await countersOf(owner)).merged).toBe(trades.length)
}

describe.concurrent('nothing is lost or counted twice', () => {
  it.each(steps)('by kill −9 in the $phase, right after "$step"', async ({ phase, step }) => {
    await handOver({ phase, step, signal: 'SIGKILL' })
  })

  it.each(steps)('by a worker frozen in the $phase, right after "$step", that wakes up later', async (scene) => {
    await handOver({ ...scene, signal: 'SIGSTOP' })
  })
})
