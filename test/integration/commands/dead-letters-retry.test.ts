// `dead-letters retry` as a process: a corrected message is merged exactly once.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { send } from '../scenes/market.ts'
import { makePipeline } from '../scenes/pipeline.ts'
import { deleteRecords, verifyPipeline } from '../scenes/verification.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'
import { allRight, bar, countsOf, letterAt, retrierOf, run, theRow, throughWorker } from './dead-letters-scene.ts'

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
