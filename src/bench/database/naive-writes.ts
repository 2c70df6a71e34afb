import { LogReader } from '../../kafka/log/log-reader.ts'
import { postgresOptions, withClient } from '../../store/client/connection.ts'
import { treeCpuSeconds } from '../cpu.ts'
import type { Scene } from '../scene.ts'

/**
 * Simple implementations to compare with: each message is one autocommitted write, over a new connection or a kept
 * one.
 */
export const naiveWays = ['a new connection and one write a message', 'a kept connection, one write a message'] as const

export interface NaiveRun {
  readonly way: (typeof naiveWays)[number]
  readonly messages: number
  readonly seconds: number
  /** CPU of the benchmark's own process, which is the writer here. */
  readonly cpuSeconds: number
  readonly postgresCpuSeconds: number
}

const createTable = `
  DROP TABLE IF EXISTS naive_prices;
  CREATE TABLE naive_prices (
    symbol text, window_start timestamptz, trade_count bigint NOT NULL, sum_close numeric NOT NULL,
    sum_close_volume numeric NOT NULL, total_volume numeric NOT NULL, min_close numeric NOT NULL,
    max_close numeric NOT NULL, PRIMARY KEY (symbol, window_start)
  )`

const write = `
  INSERT INTO naive_prices AS n
  VALUES ($1, date_bin('5 minutes', $2, 'epoch'), 1, $3, $3::numeric * $4::numeric, $4, $3, $3)
  ON CONFLICT (symbol, window_start) DO UPDATE SET
    trade_count = n.trade_count + 1,
    sum_close = n.sum_close + excluded.sum_close,
    sum_close_volume = n.sum_close_volume + excluded.sum_close_volume,
    total_volume = n.total_volume + excluded.total_volume,
    min_close = least(n.min_close, excluded.min_close),
    max_close = greatest(n.max_close, excluded.max_close)`

/**
 * Writes the first messages of the topic in one of the naive ways. The messages are read before the clock starts, so
 * that only the writes are measured.
 *
 * @returns The figures, and what was wrong with the rows, if anything.
 */
export async function runNaively(
  scene: Scene,
  way: NaiveRun['way'],
  count: number,
): Promise<{ run: NaiveRun; problem: string | undefined }> {
  const options = postgresOptions(scene.config)
  const values = await firstValues(scene, count)
  await withClient(options, (client) => client.query(createTable))
  const postgresBefore = treeCpuSeconds(scene.postgresPid)
  const cpuBefore = process.cpuUsage()
  const startedAtMs = performance.now()
  if (way === 'a kept connection, one write a message') {
    await withClient(options, async (client) => {
      for (const value of values) await client.query({ name: 'naive', text: write, values: parametersOf(value) })
    })
  } else {
    for (const value of values) {
      await withClient(options, (client) => client.query({ text: write, values: parametersOf(value) }))
    }
  }
  const seconds = (performance.now() - startedAtMs) / 1000
  const { user, system } = process.cpuUsage(cpuBefore)
  const postgresCpuSeconds = treeCpuSeconds(scene.postgresPid) - postgresBefore
  const [row] = await scene.database.query<{ written: number }>({
    text: 'SELECT sum(trade_count)::bigint AS written FROM naive_prices',
  })
  const problem = row?.written === count ? undefined : `${row?.written} of ${count} messages were written`
  return { run: { way, messages: count, seconds, cpuSeconds: (user + system) / 1e6, postgresCpuSeconds }, problem }
}

function parametersOf(value: Buffer): unknown[] {
  const { symbol, timestamp, close, volume } = JSON.parse(value.toString()) as Record<string, unknown>
  return [symbol, timestamp, close, volume]
}

async function firstValues({ cluster, metadata }: Scene, count: number): Promise<Buffer[]> {
  const values: Buffer[] = []
  for (const { partition } of metadata.partitions) {
    if (values.length >= count) break
    for await (const { records } of new LogReader(cluster, metadata).read(partition, 0, count - values.length)) {
      for (const { value } of records) if (value) values.push(value)
    }
  }
  return values
}
