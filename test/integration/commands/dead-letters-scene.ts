// Rejected messages in a real topic and database, for the tests of `dead-letters`.
import { LogReader } from '../../../src/kafka/log/log-reader.ts'
import { LetterPayloads } from '../../../src/recovery/letter-payloads.ts'
import { LetterRetrier } from '../../../src/recovery/retry-letters.ts'
import { findLetter, type Letter } from '../../../src/store/dead-letters/dead-letters.ts'
import { readDefinition } from '../../../src/store/schema/definition.ts'
import { marketOpenMs, send } from '../scenes/market.ts'
import type { Pipeline } from '../scenes/pipeline.ts'
import { marketKpi } from '../scenes/processes.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'

export const bar = (minute: number, members: Record<string, string> = {}) => {
  const timestamp = JSON.stringify(new Date(marketOpenMs + minute * 60_000).toISOString())
  const all = { symbol: '"AAPL"', timestamp, close: '2', volume: '10', ...members }
  return `{${Object.entries(all)
    .map(([name, text]) => `"${name}":${text}`)
    .join(',')}}`
}
export const allRight = { differenceCount: 0, uncheckedCount: 0 }

export async function run(pipeline: Pipeline, ...args: string[]) {
  const command = marketKpi(['dead-letters', ...args], pipeline.env)
  const { code } = await command.exited
  return { code, stdout: command.stdout(), stderr: command.stderr() }
}

/** Sends values to the only partition and lets a worker take them in. */
export async function throughWorker(pipeline: Pipeline, values: readonly (string | Buffer)[]): Promise<void> {
  await send(
    pipeline.cluster,
    pipeline.config.kafkaTopic,
    values.map((value) => ({ symbol: 'AAPL', value })),
  )
  const worker = await startWorker(pipeline)
  await untilCounted(pipeline, values.length)
  await worker.stop()
}

/** A retrier as the command has it, in this process. */
export async function retrierOf(pipeline: Pipeline): Promise<LetterRetrier> {
  const { cluster, metadata, owner: database } = pipeline
  const payloads = new LetterPayloads(async () => new LogReader(cluster, metadata))
  return new LetterRetrier({ database, definition: await readDefinition(database), payloads, now: Date.now })
}

export async function letterAt({ owner, metadata }: Pipeline, offset: number): Promise<Letter> {
  const letter = await findLetter(owner, metadata.topic, { partition: 0, offset })
  if (!letter) throw new Error(`no letter at offset ${offset}`)
  return letter
}

export const theRow = async ({ owner }: Pipeline) =>
  (
    await owner.query({
      text: `SELECT trade_count AS n, open_price::text AS open, close_price::text AS close, total_volume::text AS volume,
        late_count AS late FROM kpi_market_prices ORDER BY window_start LIMIT 1`,
    })
  )[0]

export const countsOf = async ({ owner }: Pipeline) =>
  (await owner.query({ text: 'SELECT merged, rejected, retried, purged FROM kpi_consumer_offsets' }))[0]
