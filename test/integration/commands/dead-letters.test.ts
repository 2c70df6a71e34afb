import { describe, expect, it } from 'vitest'
import { LogReader } from '../../../src/kafka/log/log-reader.ts'
import { LetterPayloads } from '../../../src/recovery/letter-payloads.ts'
import { purgeLetters } from '../../../src/store/dead-letters/purge.ts'
import { readDefinition } from '../../../src/store/schema/definition.ts'
import { makePipeline } from '../scenes/pipeline.ts'
import { verifyPipeline } from '../scenes/verification.ts'
import { allRight, bar, countsOf, letterAt, run, throughWorker } from './dead-letters-scene.ts'

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
