// offsets show and accept-gap, on positions that their log no longer holds.
import { describe, expect, it } from 'vitest'
import { partialOf } from '../../../src/kpi/partial.ts'
import { acceptGap } from '../../../src/store/positions/gaps.ts'
import { readDefinition } from '../../../src/store/schema/definition.ts'
import { commitBatch } from '../../../src/store/windows/commit.ts'
import { marketOpenMs, messageText, send } from '../scenes/market.ts'
import { makePipeline, type Pipeline } from '../scenes/pipeline.ts'
import { marketKpi } from '../scenes/processes.ts'
import { until } from '../scenes/until.ts'
import { acceptGaps, deleteRecords, verifyPipeline, viewOffsets } from '../scenes/verification.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'

const minuteMs = 60_000
const tradeAt = (minute: number, symbol = 'AAPL') => ({
  symbol,
  value: messageText({ symbol, timestampMs: marketOpenMs + minute * minuteMs, close: 1n, volume: 1n }),
})

/** A command's answer, once it has ended. */
async function run(pipeline: Pipeline, ...args: string[]) {
  const command = marketKpi(['offsets', ...args], pipeline.env)
  const { code } = await command.exited
  return { code, stdout: command.stdout(), stderr: command.stderr() }
}

async function throughWorker(pipeline: Pipeline, minutes: readonly number[], countedBefore = 0) {
  await send(
    pipeline.cluster,
    pipeline.config.kafkaTopic,
    minutes.map((minute) => tradeAt(minute)),
  )
  const worker = await startWorker(pipeline)
  await untilCounted(pipeline, countedBefore + minutes.length)
  await worker.stop()
}

/** Window starts, in minutes after the market's opening, by state. */
async function windowsByState({ owner }: Pipeline): Promise<Record<string, number[]>> {
  const rows = await owner.query<{ state: string; minutes: number[] }>({
    text: `SELECT window_state AS state, array_agg(extract(epoch FROM window_start)::integer / 60 - $1 ORDER BY window_start) AS minutes
      FROM kpi_windows GROUP BY window_state`,
    values: [marketOpenMs / minuteMs],
  })
  return Object.fromEntries(rows.map(({ state, minutes }) => [state, minutes]))
}

const positionOf = async ({ owner }: Pipeline) =>
  (
    await owner.query({
      text: 'SELECT next_offset, merged, rejected, without_message, lost, rewound FROM kpi_consumer_offsets',
    })
  )[0]

describe('offsets show', () => {
  it('tells each partition’s log, position, lag and the copy in Kafka', async () => {
    await using pipeline = await makePipeline({ partitions: 2 })
    await throughWorker(pipeline, [0, 1, 2])
    await send(pipeline.cluster, pipeline.config.kafkaTopic, [tradeAt(3), tradeAt(4)])
    const { partitions, gaps } = JSON.parse((await run(pipeline, 'show', '--json')).stdout)
    const [used] = partitions.filter((p: { logEnd: number }) => p.logEnd > 0)
    expect(used).toMatchObject({ state: 'ok', logStart: 0, logEnd: 5, position: 3, lag: 2, committed: 3 })
    expect(gaps).toEqual([])
    const { stdout, code } = await run(pipeline, 'show')
    expect(code).toBe(0)
    expect(stdout.split('\n')[0]).toBe('partition  log start  log end  position  lag  in Kafka  state')
    expect(stdout).toMatch(/^ +\d +0 +5 +3 +2 +3 {2}ok$/m)
  })

  it('tells which partitions no worker has opened', async () => {
    await using pipeline = await makePipeline({ partitions: 2 })
    expect((await viewOffsets(pipeline)).partitions).toMatchObject([
      { state: 'not started', position: null, lag: null, committed: null },
      { state: 'not started' },
    ])
  })

  it('tells a topic that was created anew', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    await throughWorker(pipeline, [0])
    await pipeline.owner.query({ text: 'UPDATE kpi_definition SET topic_id = gen_random_uuid()' })
    expect((await viewOffsets(pipeline)).partitions).toMatchObject([{ state: 'topic re-created', lag: null }])
    const accepted = await run(pipeline, 'accept-gap', '--all', '--yes')
    expect(accepted).toMatchObject({ code: 1, stdout: '' })
    expect(accepted.stderr).toContain('--accept-new-topic')
  })
})

describe('accept-gap', () => {
  it('goes on behind messages that were deleted, and marks the windows they may belong to', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    await throughWorker(pipeline, [0, 5, 10, 15, 20])
    const lost = [25, 30, 35].map((minute) => tradeAt(minute))
    const kept = [38, 45, 50].map((minute) => tradeAt(minute))
    await send(pipeline.cluster, pipeline.config.kafkaTopic, [...lost, ...kept])
    await deleteRecords(pipeline, 0, 8)
    expect((await viewOffsets(pipeline)).partitions).toMatchObject([
      { state: 'behind the log', position: 5, logStart: 8, lag: 3 },
    ])
    expect((await run(pipeline, 'show')).stdout).toContain('offsets accept-gap')

    // A worker stands still meanwhile, and goes on by itself.
    const { worker, stop } = await startWorker(pipeline)
    await until(
      'the worker stranded',
      () => worker.figures.stranded,
      (stranded) => stranded.length === 1,
    )
    const accepted = await run(pipeline, 'accept-gap', '--partition', '0', '--yes')
    expect(accepted).toMatchObject({ code: 0, stderr: '' })
    expect(accepted.stdout).toMatch(
      /^gap: partition 0 offsets 5 to 7 \(3\), deleted before they were read, windows from 2026-02-14T14:47:59Z to /,
    )
    expect(accepted.stdout).toMatch(/^partition 0 continues at offset 8$/m)
    await untilCounted(pipeline, 8)
    await stop()

    expect(await positionOf(pipeline)).toMatchObject({ next_offset: 11, merged: 8, lost: 3, rewound: 0 })
    // From the watermark at 20 less two minutes on, to the last window behind the gap, which ends at 55, and two more.
    expect(await windowsByState(pipeline)).toEqual({ closed: [0, 5, 10], incomplete: [15, 20, 35, 45, 50] })
    const report = await verifyPipeline(pipeline)
    expect(report).toMatchObject({ differenceCount: 0, messages: 3, uncheckedCount: 5 })
    expect(report.holes).toMatchObject([{ from: 0, to: 8, why: 'deleted' }])
    expect((await viewOffsets(pipeline)).gaps).toMatchObject([
      { partition: 0, kind: 'deleted', fromOffset: 5, toOffset: 8 },
    ])
  })

  it('finds nothing to do where positions stand within their logs', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    await throughWorker(pipeline, [0])
    expect(await run(pipeline, 'accept-gap', '--all', '--yes')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^no gap/),
    })
  })

  it('asks, and changes nothing where nobody can answer', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    await throughWorker(pipeline, [0, 1])
    await send(pipeline.cluster, pipeline.config.kafkaTopic, [tradeAt(2)])
    await deleteRecords(pipeline, 0, 3)
    const asked = await run(pipeline, 'accept-gap', '--all')
    expect(asked).toMatchObject({ code: 2, stderr: expect.stringMatching(/^[^\n]*add --yes, or --dry-run[^\n]*\n$/) })
    expect(await run(pipeline, 'accept-gap', '--all', '--dry-run')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^gap: .*\nwould record 1 gap for good, .*\nnothing was changed\n$/),
    })
    expect(await positionOf(pipeline)).toMatchObject({ next_offset: 2, lost: 0 })
    expect((await run(pipeline, 'accept-gap', '--all', '--partition', '0')).code).toBe(2)
  })

  it('has an end where nothing is left: the gap may reach up to now', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    await throughWorker(pipeline, [0])
    await send(pipeline.cluster, pipeline.config.kafkaTopic, [tradeAt(2)])
    await deleteRecords(pipeline, 0, 2)
    const beforeUs = Date.now() * 1000
    await acceptGaps(pipeline)
    const { gaps } = await viewOffsets(pipeline)
    expect(gaps[0]?.toEventUs).toBeGreaterThan(beforeUs + 299e6)
    expect(gaps[0]?.toEventUs).toBeLessThan(Date.now() * 1000 + 301e6)
    expect(await verifyPipeline(pipeline)).toMatchObject({ differenceCount: 0, uncheckedCount: 1 })
  })

  it('moves a position once, whoever else accepts the same gap or commits', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    await throughWorker(pipeline, [0, 1])
    const { topic, consumerGroup: group, id } = await readDefinition(pipeline.owner)
    const gap = { partition: 0, kind: 'deleted', fromOffset: 2, toOffset: 5, fromEventUs: 0, toEventUs: 1 } as const
    const both = await Promise.allSettled([
      acceptGap(pipeline.owner, { group, topic }, id, gap),
      acceptGap(pipeline.owner, { group, topic }, id, gap),
    ])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'KPI_POSITION_MOVED' } })
    await expect(
      acceptGap(pipeline.owner, { group, topic }, id + 1, { ...gap, fromOffset: 5, toOffset: 6 }),
    ).rejects.toMatchObject({ code: 'KPI_POSITION_MOVED' })
    expect(await positionOf(pipeline)).toMatchObject({ next_offset: 5, lost: 3 })
  })
})

describe('accept-gap of a log that was cut', () => {
  /** Puts the position beyond the log's end, as if the log had held more: two messages of which one was rejected. */
  async function cut(pipeline: Pipeline, minute: number): Promise<void> {
    const { id, topic, consumerGroup: group } = await readDefinition(pipeline.owner)
    const [{ next = 0 } = {}] = await pipeline.owner.query<{ next: number }>({
      text: 'SELECT next_offset AS next FROM kpi_consumer_offsets',
    })
    const timestampUs = (marketOpenMs + minute * minuteMs) * 1000
    await commitBatch(pipeline.owner, {
      ...{ definitionId: id, group, topic, decimals: 8 },
      advances: [
        {
          partition: 0,
          expectedOffset: next,
          nextOffset: next + 2,
          watermarkUs: timestampUs,
          merged: 1,
          rejected: 1,
          withoutMessage: 0,
        },
      ],
      rows: [
        partialOf(
          { symbol: 'AAPL', timestampUs, open: 1n, high: 1n, low: 1n, close: 1n, volume: 1n },
          { windowStartUs: timestampUs - (timestampUs % 300e6), partition: 0, offset: next, isLate: false },
        ),
      ],
      letters: [
        {
          partition: 0,
          offset: next + 1,
          reason: 'empty',
          detail: 'no value',
          payload: null,
          key: null,
          timestampMs: null,
        },
      ],
    })
  }

  it('goes back to its end, merges nothing twice, and makes room for letters at the same offsets', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    await throughWorker(pipeline, [0, 5, 10])
    await cut(pipeline, 12)
    expect((await viewOffsets(pipeline)).partitions).toMatchObject([
      { state: 'past the log', position: 5, logEnd: 3, lag: 0 },
    ])
    // Before anybody accepts it: the row with the lost message is not whole.
    const before = await verifyPipeline(pipeline)
    expect(before).toMatchObject({ differenceCount: 0, uncheckedCount: 1, unchecked: [{ tradeCount: 2, inLog: 1 }] })
    expect(before.holes).toMatchObject([{ from: 3, to: 5, why: 'cut' }])

    const { worker, stop } = await startWorker(pipeline)
    await until(
      'the worker stranded',
      () => worker.figures.stranded,
      (stranded) => stranded.length === 1,
    )
    const accepted = await run(pipeline, 'accept-gap', '--all', '--yes')
    expect(accepted.stdout).toMatch(/^gap: partition 0 offsets 3 to 4 \(2\), counted, then cut off the log, /)
    expect(accepted.stdout).toMatch(
      /^partition 0 continues at offset 3; 1 rejected message of the part cut off moved to the archive$/m,
    )
    expect(await positionOf(pipeline)).toMatchObject({ next_offset: 3, merged: 4, rejected: 1, rewound: 2, lost: 0 })

    // New messages take the offsets 3 and 4: an accepted one, and one that is rejected where a letter was.
    await send(pipeline.cluster, pipeline.config.kafkaTopic, [
      tradeAt(14),
      { symbol: 'AAPL', value: '[]' },
      tradeAt(20),
    ])
    await untilCounted(pipeline, 8)
    await stop()
    expect(await positionOf(pipeline)).toMatchObject({ next_offset: 6, merged: 6, rejected: 2, rewound: 2 })
    const letters = await pipeline.owner.query({ text: 'SELECT message_offset, reason FROM dead_letters' })
    expect(letters).toEqual([{ message_offset: 4, reason: 'not_object' }])
    const archived = await pipeline.owner.query({
      text: `SELECT letter->>'message_offset' AS at, letter->>'reason' AS reason FROM kpi_archived_letters`,
    })
    expect(archived).toEqual([{ at: '4', reason: 'empty' }])

    expect(await windowsByState(pipeline)).toMatchObject({ closed: [0], incomplete: [5, 10, 20] })
    expect(await verifyPipeline(pipeline)).toMatchObject({ differenceCount: 0, uncheckedCount: 1, messages: 6 })
  })

  it('can happen twice at the same offset', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    await throughWorker(pipeline, [0])
    for (const minute of [2, 3]) {
      await cut(pipeline, minute)
      await acceptGaps(pipeline)
    }
    expect(await positionOf(pipeline)).toMatchObject({ next_offset: 1, merged: 3, rejected: 2, rewound: 4 })
    expect((await viewOffsets(pipeline)).gaps).toHaveLength(2)
    expect(await verifyPipeline(pipeline)).toMatchObject({ differenceCount: 0, uncheckedCount: 1 })
  })

  it('leaves other mistakes to be found', async () => {
    await using pipeline = await makePipeline({ partitions: 1 })
    await throughWorker(pipeline, [0, 30])
    await cut(pipeline, 31)
    await acceptGaps(pipeline)
    await pipeline.owner.query({
      text: `UPDATE kpi_market_prices SET open_price = 7 WHERE window_start = to_timestamp($1)`,
      values: [marketOpenMs / 1000],
    })
    expect(await verifyPipeline(pipeline)).toMatchObject({
      differences: [{ column: 'open_price', table: '7' }],
      uncheckedCount: 1,
    })
  })
})
