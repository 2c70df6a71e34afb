// dead-letters list, show, retry and purge, on what a worker rejected.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { LogReader } from '../../../src/kafka/log/log-reader.ts'
import { LetterPayloads } from '../../../src/recovery/letter-payloads.ts'
import { LetterRetrier } from '../../../src/recovery/retry-letters.ts'
import { findLetter, type Letter } from '../../../src/store/dead-letters/dead-letters.ts'
import { purgeLetters } from '../../../src/store/dead-letters/purge.ts'
import { readDefinition } from '../../../src/store/schema/definition.ts'
import { marketOpenMs, send } from '../scenes/market.ts'
import { makePipeline, type Pipeline } from '../scenes/pipeline.ts'
import { marketKpi } from '../scenes/processes.ts'
import { deleteRecords, verifyPipeline } from '../scenes/verification.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'

const bar = (minute: number, members: Record<string, string> = {}) => {
  const timestamp = JSON.stringify(new Date(marketOpenMs + minute * 60_000).toISOString())
  const all = { symbol: '"AAPL"', timestamp, close: '2', volume: '10', ...members }
  return `{${Object.entries(all)
    .map(([name, text]) => `"${name}":${text}`)
    .join(',')}}`
}
const allRight = { differenceCount: 0, uncheckedCount: 0 }

async function run(pipeline: Pipeline, ...args: string[]) {
  const command = marketKpi(['dead-letters', ...args], pipeline.env)
  const { code } = await command.exited
  return { code, stdout: command.stdout(), stderr: command.stderr() }
}

/** Sends values to the only partition and lets a worker take them in. */
async function throughWorker(pipeline: Pipeline, values: readonly (string | Buffer)[]): Promise<void> {
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
async function retrierOf(pipeline: Pipeline): Promise<LetterRetrier> {
  const { cluster, metadata, owner: database } = pipeline
  const payloads = new LetterPayloads(async () => new LogReader(cluster, metadata))
  return new LetterRetrier({ database, definition: await readDefinition(database), payloads, now: Date.now })
}

async function letterAt({ owner, metadata }: Pipeline, offset: number): Promise<Letter> {
  const letter = await findLetter(owner, metadata.topic, { partition: 0, offset })
  if (!letter) throw new Error(`no letter at offset ${offset}`)
  return letter
}

const theRow = async ({ owner }: Pipeline) =>
  (
    await owner.query({
      text: `SELECT trade_count AS n, open_price::text AS open, close_price::text AS close, total_volume::text AS volume,
        late_count AS late FROM kpi_market_prices ORDER BY window_start LIMIT 1`,
    })
  )[0]

const countsOf = async ({ owner }: Pipeline) =>
  (await owner.query({ text: 'SELECT merged, rejected, retried, purged FROM kpi_consumer_offsets' }))[0]

describe('list', () => {
  it('shows the newest, why, and how many there are for each reason', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    await throughWorker(pipeline, [
      bar(0),
      bar(1, { volume: '-1' }),
      '{',
      bar(2, { close: '"2"' }),
      bar(3, { volume: '-2' }),
    ])
    const { code, stdout } = await run(pipeline, 'list')
    expect(code).toBe(0)
    const lines = stdout.trimEnd().split('\n')
    expect(lines[0]).toBe('partition  offset  rejected at           reason           detail')
    expect(lines.slice(1, 5).map((line) => line.split(/ {2,}/).slice(1, 5).join(' '))).toEqual([
      expect.stringMatching(/^0 4 \S+ negative_volume$/),
      expect.stringMatching(/^0 3 \S+ bad_number$/),
      expect.stringMatching(/^0 2 \S+ not_json$/),
      expect.stringMatching(/^0 1 \S+ negative_volume$/),
    ])
    expect(lines.slice(6)).toEqual([
      'reason           rejected  of them retried',
      'negative_volume         2                0',
      'bad_number              1                0',
      'not_json                1                0',
    ])
    const found = JSON.parse(
      (await run(pipeline, 'list', '--reason', 'negative_volume', '--limit', '1', '--json')).stdout,
    )
    expect(found.letters).toMatchObject([{ partition: 0, offset: 4, reason: 'negative_volume', retriedAt: null }])
    expect(found.counts).toEqual([{ reason: 'negative_volume', letters: 2, retried: 0 }])
    expect((await run(pipeline, 'list', '--since', '2999-01-01')).stdout).toBe('no rejected messages\n')
  })
})

describe('show', () => {
  it('shows the value: JSON indented, other bytes in hexadecimal, and exactly with --raw', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    const bytes = Buffer.from([0xff, 0x00, 0x41])
    await throughWorker(pipeline, [bar(0, { volume: '-1.50' }), bytes])
    const json = await run(pipeline, 'show', '0', '0')
    expect(json.code).toBe(0)
    expect(json.stdout).toMatch(/^partition 0, offset 0$/m)
    expect(json.stdout).toMatch(/^ {2}reason {11}negative_volume$/m)
    expect(json.stdout).toMatch(/^ {2}key {14}AAPL$/m)
    expect(json.stdout).toContain('\n  "volume": -1.50\n}')
    expect((await run(pipeline, 'show', '0', '1')).stdout).toContain('00000000  ff 00 41 ')
    const raw = await run(pipeline, 'show', '0', '0', '--raw')
    expect(raw.stdout).toBe(bar(0, { volume: '-1.50' }))
    expect(JSON.parse((await run(pipeline, 'show', '0', '1', '--json')).stdout)).toMatchObject({
      reason: 'not_json',
      valueHex: 'ff0041',
    })
  })

  it('says in one line that there is none', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    expect(await run(pipeline, 'show', '0', '17')).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^no rejected message of partition 0 has the offset 17[^\n]*\n$/),
    })
  })
})

describe('retry', () => {
  it('merges a corrected value once, at the message’s old place, and verify agrees', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    await throughWorker(pipeline, [bar(1, { close: '5' }), bar(0, { volume: '-1' }), bar(1, { close: '7' }), '{'])
    const retried = await run(pipeline, 'retry', '0', '1', '--value', bar(1, { close: '6', open: '3', volume: '0.5' }))
    expect(retried).toEqual({
      code: 0,
      stdout: 'partition 0, offset 1: merged into AAPL 2026-02-14T14:30:00Z\n',
      stderr: '',
    })
    // Of three messages of one time, the middle one opens and closes nothing.
    expect(await theRow(pipeline)).toEqual({
      n: 3,
      open: '5.00000000',
      close: '7.00000000',
      volume: '20.50000000',
      late: 0,
    })
    expect(await countsOf(pipeline)).toEqual({ merged: 2, rejected: 2, retried: 1, purged: 0 })
    expect(await verifyPipeline(pipeline)).toMatchObject({ ...allRight, retried: 1, letters: 2 })

    const again = await run(pipeline, 'retry', '0', '1', '--value', bar(1))
    expect(again).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('retried already') })
    expect(await theRow(pipeline)).toMatchObject({ n: 3 })
    expect((await run(pipeline, 'show', '0', '1')).stdout).toContain('retried with\n{')
    expect(JSON.parse((await run(pipeline, 'list', '--retried', '--json')).stdout).letters).toMatchObject([
      { offset: 1 },
    ])
  })

  it('takes the value from a file, and leaves one that is still rejected', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    await throughWorker(pipeline, [bar(0, { volume: '-1' })])
    const folder = mkdtempSync(join(tmpdir(), 'market-kpi-letters-'))
    try {
      const file = join(folder, 'fixed.json')
      writeFileSync(file, bar(0, { volume: '"1"' }))
      expect(await run(pipeline, 'retry', '0', '0', '--file', file)).toMatchObject({
        code: 1,
        stdout: expect.stringMatching(/^partition 0, offset 0: still rejected, bad_number: /),
      })
      writeFileSync(file, bar(0, { volume: '1' }))
      expect(await run(pipeline, 'retry', '0', '0', '--file', file)).toMatchObject({ code: 0 })
    } finally {
      rmSync(folder, { recursive: true })
    }
    expect(await theRow(pipeline)).toMatchObject({ n: 1 })
    expect(await verifyPipeline(pipeline)).toMatchObject(allRight)
  })

  it('counts as late what comes after its window was closed', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    await throughWorker(pipeline, [bar(0), bar(1, { volume: '-1' }), bar(7), bar(8, { volume: '-1' })])
    const retrier = await retrierOf(pipeline)
    // The watermark is at minute 7: just where a window that ends at 5 is not late yet.
    expect(await retrier.retry(await letterAt(pipeline, 1), Buffer.from(bar(1)))).toMatchObject({
      outcome: 'merged',
      isLate: false,
    })
    await pipeline.owner.query({ text: 'UPDATE kpi_consumer_offsets SET watermark_us = watermark_us + 1' })
    expect(await retrier.retry(await letterAt(pipeline, 3), Buffer.from(bar(1)))).toMatchObject({
      outcome: 'merged',
      isLate: true,
    })
    await pipeline.owner.query({ text: 'UPDATE kpi_consumer_offsets SET watermark_us = watermark_us - 1' })
    expect(await theRow(pipeline)).toMatchObject({ n: 3, late: 1 })
    expect(await verifyPipeline(pipeline)).toMatchObject(allRight)
    await pipeline.owner.query({
      text: 'UPDATE dead_letters SET retried_late = NOT retried_late WHERE message_offset = 3',
    })
    expect(await verifyPipeline(pipeline)).toMatchObject({ differences: [{ column: 'late_count' }] })
  })

  it('merges once when ten try at the same time', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    await throughWorker(pipeline, [bar(0), bar(0, { volume: '-1' })])
    const letter = await letterAt(pipeline, 1)
    const tries = Array.from({ length: 10 }, async (_, i) =>
      (await retrierOf(pipeline)).retry(letter, Buffer.from(bar(0, { close: String(i) }))),
    )
    const results = await Promise.allSettled(tries)
    const refused = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason.code)
    expect(refused).toEqual(Array(9).fill('KPI_LETTER_MISSING'))
    expect(await theRow(pipeline)).toMatchObject({ n: 2 })
    expect(await countsOf(pipeline)).toMatchObject({ retried: 1 })
    expect(await verifyPipeline(pipeline)).toMatchObject(allRight)
  })

  it('keeps neither mark nor count when the merge fails', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    await throughWorker(pipeline, [bar(0, { volume: '-1' })])
    await pipeline.owner.query({ text: 'ALTER TABLE kpi_market_prices ADD CONSTRAINT none CHECK (false) NOT VALID' })
    const letter = await letterAt(pipeline, 0)
    const retrier = await retrierOf(pipeline)
    await expect(retrier.retry(letter, Buffer.from(bar(0)))).rejects.toMatchObject({ code: 'KPI_POSTGRES_QUERY' })
    await pipeline.owner.query({ text: 'ALTER TABLE kpi_market_prices DROP CONSTRAINT none' })
    expect(await countsOf(pipeline)).toMatchObject({ retried: 0 })
    expect(await retrier.retry(letter, Buffer.from(bar(0)))).toMatchObject({ outcome: 'merged' })
    expect(await verifyPipeline(pipeline)).toMatchObject(allRight)
  })

  it('goes on while a worker commits', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    const values = Array.from({ length: 3000 }, (_, i) => bar(i % 30, i % 10 === 0 ? { volume: '-1' } : {}))
    await send(
      pipeline.cluster,
      pipeline.config.kafkaTopic,
      values.map((value) => ({ symbol: 'AAPL', value })),
    )
    const worker = await startWorker(pipeline, { batchSize: 1, batchWaitMs: 1 })
    const retrier = await retrierOf(pipeline)
    let merged = 0
    for (let offset = 0; offset < values.length; offset += 10) {
      await untilCounted(pipeline, offset + 1)
      const result = await retrier.retry(await letterAt(pipeline, offset), Buffer.from(bar(2)))
      if (result.outcome === 'merged') merged += 1
    }
    await untilCounted(pipeline, values.length)
    await worker.stop()
    expect(merged).toBe(300)
    expect(await verifyPipeline(pipeline)).toMatchObject({ ...allRight, retried: 300 })
  })
})

describe('retry --all', () => {
  it('puts every value through the rules again, from the log where the table has none', async () => {
    await using pipeline = await makePipeline({ partitions: 1, settings: { maxFutureSeconds: '60' } })
    const ahead = (seconds: number) => bar(0, { timestamp: String(Date.now() + seconds * 1000) })
    await throughWorker(pipeline, ['', ahead(200), '{', ahead(400), bar(0), ahead(86_400), 'x'.repeat(70_000)])
    await pipeline.owner.query({ text: 'UPDATE dead_letters SET payload = NULL WHERE message_offset IN (2, 3, 5)' })
    expect((await run(pipeline, 'show', '0', '3')).stdout).toMatch(/^ {2}value {12}\d+ bytes, from the log$/m)
    // The rules change, as far as a definition can: here by hand.
    await pipeline.owner.query({ text: 'UPDATE kpi_definition SET max_future_seconds = 600' })
    const retried = await run(pipeline, 'retry', '--all')
    expect(retried).toMatchObject({ code: 0, stderr: '' })
    expect(retried.stdout.split('\n').sort()).toEqual([
      '',
      '1 message still rejected: empty',
      '1 message still rejected: future_timestamp',
      '1 message still rejected: not_json',
      '1 message still rejected: too_large',
      '2 messages merged',
    ])
    expect(await countsOf(pipeline)).toMatchObject({ merged: 1, rejected: 6, retried: 2 })
    // By the new rules the retried messages would count by themselves: they still do so once.
    const changed = { ...pipeline, config: { ...pipeline.config, maxFutureSeconds: 600 } }
    expect(await verifyPipeline(changed)).toMatchObject({ ...allRight, retried: 2 })
    expect(await verifyPipeline(changed, { rowsAtOnce: 1 })).toMatchObject(allRight)
    expect((await run(pipeline, 'retry', '--all', '--reason', 'not_json')).stdout).toBe(
      '0 messages merged\n1 message still rejected: not_json\n',
    )
  })

  it('says of which messages the value is gone', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    await throughWorker(pipeline, ['{', '[]', bar(0)])
    await pipeline.owner.query({ text: 'UPDATE dead_letters SET payload = NULL' })
    await deleteRecords(pipeline, 0, 1)
    expect((await run(pipeline, 'retry', '--all')).stdout.split('\n').sort()).toEqual([
      '',
      '0 messages merged',
      '1 message of which neither table nor log have the value',
      '1 message still rejected: not_object',
    ])
    expect(await run(pipeline, 'retry', '0', '0')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('neither table nor log'),
    })
    expect((await run(pipeline, 'show', '0', '0')).stdout).toContain('the log no longer has it')
  })
})

describe('purge', () => {
  it('deletes what is old or has a reason, never what was retried, and counts it', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    await throughWorker(pipeline, ['{', '[]', '{', bar(0, { volume: '-1' }), bar(1), '{'])
    await pipeline.owner.query({
      text: "UPDATE dead_letters SET received_at = now() - interval '40 days' WHERE message_offset < 4",
    })
    expect((await run(pipeline, 'retry', '0', '3', '--value', bar(0))).code).toBe(0)
    expect((await run(pipeline, 'purge')).code).toBe(2)
    const unasked = await run(pipeline, 'purge', '--older-than', '0d')
    expect(unasked).toMatchObject({ code: 2, stdout: '' })
    expect(unasked.stderr).toMatch(/^dead-letters purge asks before it changes data, [^\n]+\n$/)
    expect((await run(pipeline, 'purge', '--older-than', '30d', '--dry-run')).stdout).toMatch(
      /^would delete 3 rejected messages of '.*'\nnothing was changed\n$/,
    )
    expect((await run(pipeline, 'purge', '--older-than', '30d', '--reason', 'not_json', '--yes')).stdout).toBe(
      'deleted 2 rejected messages\n',
    )
    expect(await verifyPipeline(pipeline)).toMatchObject(allRight)
    expect((await run(pipeline, 'purge', '--older-than', '30d', '--yes')).stdout).toBe('deleted 1 rejected message\n')
    const left = await pipeline.owner.query({ text: 'SELECT message_offset AS at FROM dead_letters ORDER BY 1' })
    expect(left).toEqual([{ at: 3 }, { at: 5 }])
    expect(await countsOf(pipeline)).toMatchObject({ rejected: 5, retried: 1, purged: 3 })
    expect(await verifyPipeline(pipeline)).toMatchObject({ ...allRight, letters: 2, retried: 1 })
    // A letter that is missing, and was not purged, is still found.
    await pipeline.owner.query({ text: 'DELETE FROM dead_letters WHERE message_offset = 5' })
    expect((await verifyPipeline(pipeline)).differences.map(({ column }) => column)).toEqual([
      'dead letters purged',
      'dead_letters',
    ])
  })

  it('deletes many in small steps', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    await throughWorker(
      pipeline,
      Array.from({ length: 2500 }, (_, i) => (i % 5 === 0 ? bar(0) : '{')),
    )
    const { topic, consumerGroup: group } = await readDefinition(pipeline.owner)
    const steps: number[] = []
    await purgeLetters(pipeline.owner, { group, topic }, { reason: 'not_json' }, (deleted) => steps.push(deleted))
    expect(steps).toEqual([1000, 2000])
    expect(await countsOf(pipeline)).toMatchObject({ merged: 500, rejected: 2000, purged: 2000 })
    expect(await verifyPipeline(pipeline)).toMatchObject({ ...allRight, letters: 0 })
  })
})

it('the value of a rejected message is not read from the log where another message has its offset', async () => {
  await using pipeline = await makePipeline({ partitions: 1 })
  await throughWorker(pipeline, [bar(0, { volume: '-1' }), bar(1)])
  // A flood left the value out, and the log was cut and written again: the broker's clock gave another time.
  await pipeline.owner.query({ text: 'UPDATE dead_letters SET payload = NULL' })
  const { cluster, metadata } = pipeline
  const payloads = new LetterPayloads(async () => new LogReader(cluster, metadata))
  expect((await payloads.of(await letterAt(pipeline, 0)))?.toString()).toContain('"volume":-1')
  await pipeline.owner.query({ text: `UPDATE dead_letters SET message_timestamp = message_timestamp - interval '1 s'` })
  expect(await payloads.of(await letterAt(pipeline, 0))).toBeUndefined()
})
