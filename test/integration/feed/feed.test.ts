// The feed as a command: what it sends, what it says, how it ends.
import { fork } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MessageDecoder } from '../../../src/kpi/decode/message.ts'
import { temporaryFolder } from '../../temporary-folder.ts'
import { makePipeline, type Pipeline } from '../scenes/pipeline.ts'
import { marketKpi } from '../scenes/processes.ts'
import { contentOf, countOf } from '../scenes/topic-content.ts'
import { until } from '../scenes/until.ts'

/** Without a database, which a feed does not need. */
function kafkaOnly({ env }: Pipeline): Record<string, string> {
  const { KAFKA_BOOTSTRAP_SERVERS = '', KAFKA_TOPIC = '' } = env
  return { KAFKA_BOOTSTRAP_SERVERS, KAFKA_TOPIC, DATABASE_URL: '' }
}

function sentIn(stderr: string): number {
  const [, last = ''] = [...stderr.matchAll(/sent ([\d,]+) messages/g)].at(-1) ?? []
  return Number(last.replaceAll(',', ''))
}

describe('a simulated feed', () => {
  it('sends as many prices as it says, which all count, and writes its row of worker_status', async () => {
    await using pipeline = await makePipeline()
    const args = ['feed', 'simulate', '--rate', 'max', '--count', '20000', '--symbols', '50', '--compression', 'lz4']
    const feed = marketKpi(args, pipeline.env)
    expect(await feed.exited, feed.stderr()).toEqual({ code: 0, signal: null })
    expect(feed.stdout()).toBe('')
    expect(sentIn(feed.stderr())).toBe(20_000)
    const records = (await contentOf(pipeline.cluster, pipeline.metadata.topic)).flat()
    expect(records).toHaveLength(20_000)
    expect(new Set(records.map(({ key }) => key)).size).toBe(50)
    const decoder = new MessageDecoder({ maxFutureSeconds: 5, decimals: 8 })
    for (const { key, value } of records) {
      const bytes = Buffer.from(value ?? '')
      expect(decoder.decode(bytes, 0, bytes.length, Date.now())).toBeUndefined()
      expect(value).toContain(`{"symbol":"${key}",`)
    }
    const [row] = await pipeline.owner.query<Record<string, unknown>>({
      text: `SELECT kind, state, messages_processed, errors, batches_written > 0 AS wrote, stopped_at IS NOT NULL AS stopped,
        detail->>'source' AS source FROM worker_status`,
    })
    expect(row).toEqual({
      kind: 'feed',
      state: 'stopped',
      messages_processed: 20_000,
      errors: 0,
      wrote: true,
      stopped: true,
      source: expect.stringMatching(/^simulated prices of AAPL, .*\(50 symbols\).*20000 in all/),
    })
  })

  it('sends bad messages of every kind, when it is told to', async () => {
    await using pipeline = await makePipeline()
    const args = [
      'feed',
      '--rate',
      'max',
      '--count',
      '3000',
      '--bad',
      '0.1',
      '--duplicates',
      '0.1',
      '--disorder',
      '0.1',
    ]
    const feed = marketKpi(args, kafkaOnly(pipeline))
    expect(await feed.exited, feed.stderr()).toEqual({ code: 0, signal: null })
    const records = (await contentOf(pipeline.cluster, pipeline.metadata.topic)).flat()
    const decoder = new MessageDecoder({ maxFutureSeconds: 300, decimals: 8 })
    const reasons = records.map(({ value }) => {
      const bytes = Buffer.from(value ?? '')
      return decoder.decode(bytes, value === null ? -1 : 0, bytes.length, Date.now())
    })
    expect(new Set(reasons.filter((reason) => reason !== undefined)).size).toBe(10)
    expect(reasons.filter((reason) => reason === undefined).length).toBeGreaterThan(2500)
  })

  it('ends when it is told to, with everything acknowledged', async () => {
    await using pipeline = await makePipeline()
    const feed = marketKpi(['feed', '--rate', '3000'], kafkaOnly(pipeline))
    const { topic } = pipeline.metadata
    await until(
      'prices in the topic',
      () => countOf(pipeline.cluster, topic),
      (count) => count > 500,
    )
    const began = performance.now()
    feed.child.kill('SIGTERM')
    expect(await feed.exited, feed.stderr()).toEqual({ code: 0, signal: null })
    expect(performance.now() - began).toBeLessThan(6000)
    expect(sentIn(feed.stderr())).toBe(await countOf(pipeline.cluster, topic))
  })

  it('goes on without its database', async () => {
    await using pipeline = await makePipeline()
    const env = { ...pipeline.env, DATABASE_URL: 'postgresql://nobody:secret@127.0.0.1:1/none' }
    const feed = marketKpi(['feed', '--rate', 'max', '--count', '2000'], env)
    expect(await feed.exited, feed.stderr()).toEqual({ code: 0, signal: null })
    expect(sentIn(feed.stderr())).toBe(2000)
    expect(feed.stderr()).not.toContain('secret')
  })

  it('shows in worker_status while it runs', async () => {
    await using pipeline = await makePipeline()
    const feed = marketKpi(['feed', '--rate', '500'], pipeline.env)
    const rows = await until(
      'a feed that works',
      () => pipeline.owner.query<{ state: string }>({ text: 'SELECT state FROM worker_status' }),
      ([row]) => row !== undefined,
    )
    expect(rows).toEqual([{ state: 'sending' }])
    feed.child.kill('SIGINT')
    expect(await feed.exited, feed.stderr()).toEqual({ code: 0, signal: null })
  })
})

describe('a feed under a supervisor', () => {
  function supervised(args: readonly string[], env: Record<string, string>) {
    const launcher = join(import.meta.dirname, '..', '..', '..', 'bin', 'market-kpi.js')
    const child = fork(launcher, args, { env: { ...process.env, ...env }, silent: true, execArgv: [] })
    const messages: unknown[] = []
    child.on('message', (message) => messages.push(message))
    const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
    return { child, messages, ended }
  }

  it('says when it is ready, and waits at its end until it is told to stop', async () => {
    await using pipeline = await makePipeline()
    const { child, messages, ended } = supervised(['feed', '--rate', 'max', '--count', '100'], pipeline.env)
    await until(
      'a feed that is ready',
      () => messages,
      ([first]) => first !== undefined,
    )
    expect(messages).toEqual([{ type: 'ready', http: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) }])
    const rows = () => pipeline.owner.query<{ state: string }>({ text: 'SELECT state FROM worker_status' })
    await until('a feed at its end', rows, ([row]) => row?.state === 'at its end')
    expect(child.exitCode).toBeNull()
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
  })

  it('ends when its supervisor is gone', async () => {
    await using pipeline = await makePipeline()
    const { child, messages, ended } = supervised(['feed', '--rate', '100'], kafkaOnly(pipeline))
    await until(
      'a feed that is ready',
      () => messages,
      ([first]) => first !== undefined,
    )
    child.disconnect()
    expect(await ended).toBe(0)
  })
})

describe('a feed that cannot work says so in one line', () => {
  it.each([
    ['an unknown source', ['feed', 'yahoo'], 2, /^the source 'yahoo': must be simulate or replay:FILE\n$/],
    [
      'an option of another source',
      ['feed', '--speed', '1'],
      2,
      /^--speed belongs to the source replay:FILE, not to sim/,
    ],
    [
      'a rate that is none',
      ['feed', '--rate', '0'],
      2,
      /^[^\n]*'0' is invalid[^\n]*must be a number from 0\.1[^\n]*\n$/,
    ],
    ['a field that no price has', ['feed', 'replay:x', '--map', 'bid=b'], 2, /^--map bid=b: the fields are symbol, /],
    ['a file that is not there', ['feed', 'replay:none.csv'], 2, /^none\.csv cannot be read: there is no such file\n$/],
  ])('%s', async (_, args, code, message) => {
    const feed = marketKpi(args, { KAFKA_BOOTSTRAP_SERVERS: '127.0.0.1:1' })
    expect(await feed.exited).toEqual({ code, signal: null })
    expect(feed.stderr()).toMatch(message)
    expect(feed.stderr().trimEnd()).not.toContain('\n')
    expect(feed.stdout()).toBe('')
  })

  it.each([
    ['no broker', { KAFKA_BOOTSTRAP_SERVERS: '127.0.0.1:1' }, /^Kafka at 127\.0\.0\.1:1 does not answer: [^\n]+\n$/],
    ['no topic', { KAFKA_TOPIC: 'no-such-topic' }, /^the topic 'no-such-topic' does not exist: [^\n]+\n$/],
  ])('%s', async (_, env, message) => {
    await using pipeline = await makePipeline()
    const feed = marketKpi(['feed'], { ...kafkaOnly(pipeline), ...env })
    expect(await feed.exited).toEqual({ code: 1, signal: null })
    expect(feed.stderr()).toMatch(message)
  })

  it('a file without prices', async () => {
    using folder = temporaryFolder()
    await using pipeline = await makePipeline()
    const path = join(folder.path, 'prices.csv')
    writeFileSync(path, 'symbol,close\nA,1\n')
    const feed = marketKpi(['feed', `replay:${path}`], kafkaOnly(pipeline))
    expect(await feed.exited).toEqual({ code: 1, signal: null })
    expect(feed.stderr()).toMatch(
      /^[^\n]*prices\.csv: no column for timestamp in its header \(symbol, close\)[^\n]*\n$/,
    )
  })
})
