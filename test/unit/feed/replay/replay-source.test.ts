import { appendFileSync, truncateSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type LinePlace, readPass } from '../../../../src/feed/replay/line-mark.ts'
import { ReplayFile } from '../../../../src/feed/replay/replay-file.ts'
import type { ResumePoint } from '../../../../src/feed/replay/resume-point.ts'
import { messageKey, partitionOf } from '../../../../src/kafka/records/message-key.ts'
import { SimulatedClock } from '../../../simulated-clock.ts'
import { temporaryFolder } from '../../../temporary-folder.ts'
import { fileRunsTimeoutMs, propertyRuns } from '../../kpi/property-runs.ts'
import { priceOf, type TakenMessage, takeAll } from '../taken.ts'
import { KeptLog, openReplay, replay, write, writeGzip } from './files.ts'

const partitionCount = 3
const startMs = Date.UTC(2026, 1, 14, 14, 30)

/** Lines of several symbols, a second apart. */
function csvOf(count: number, from = 0): string {
  const lines = Array.from({ length: count }, (_, i) => {
    return `S${(from + i) % 11},${new Date(startMs + (from + i) * 1000).toISOString()},${from + i}.50\n`
  })
  return lines.join('')
}

const header = 'symbol,timestamp,close\n'

function placeOf({ headers }: TakenMessage): LinePlace {
  const [, line, element = '0', position] = /^(\d+)(?:\.(\d+))?@(\d+)$/.exec(headers.line ?? '') ?? []
  return { line: Number(line), element: Number(element), position: Number(position) }
}

/** As if the topic held, of each partition, so many of its messages. */
function resumeAfter(messages: readonly TakenMessage[], counts: readonly number[]): ResumePoint {
  const lines = new Map<number, LinePlace>()
  for (let partition = 0; partition < partitionCount; partition++) {
    const last = inPartition(messages, partition)[(counts[partition] ?? 0) - 1]
    if (last) lines.set(partition, placeOf(last))
  }
  const pass = readPass(messages[0]?.headers.replay ?? '')
  if (!pass) throw new Error('messages with a mark')
  return { pass, lines, producers: new Map() }
}

function inPartition(messages: readonly TakenMessage[], partition: number): TakenMessage[] {
  return messages.filter(({ key }) => partitionOf(messageKey(key), partitionCount) === partition)
}

describe('the messages of a file', () => {
  it('name their line, its place and the pass', async () => {
    using folder = temporaryFolder()
    const text = `${header}${csvOf(3)}`
    const { messages } = await replay(write(folder.path, text))
    expect(messages.map(placeOf)).toEqual([
      { line: 2, element: 0, position: header.length },
      { line: 3, element: 0, position: text.indexOf('S1') },
      { line: 4, element: 0, position: text.indexOf('S2') },
    ])
    const [pass] = messages.map(({ headers }) => readPass(headers.replay ?? ''))
    expect(pass).toMatchObject({ hashedBytes: text.length, partitionCount })
    expect(new Set(messages.map(({ headers }) => headers.replay)).size).toBe(1)
  })

  it('are the same from a packed file, and from one with another name', async () => {
    using folder = temporaryFolder()
    const text = `${header}${csvOf(5000)}`
    const clock = new SimulatedClock({ isEager: true })
    const { messages } = await replay(write(folder.path, text), { clock })
    expect((await replay(writeGzip(folder.path, text), { clock })).messages).toEqual(messages)
    expect(messages).toHaveLength(5000)
  })

  it('come in batches of a bounded size', async () => {
    using folder = temporaryFolder()
    const source = await openReplay(write(folder.path, `${header}${csvOf(10_000)}`))
    const sizes: number[] = []
    for (let batch = await source.next(new AbortController().signal); batch; ) {
      sizes.push(batch.count)
      batch = await source.next(new AbortController().signal)
    }
    await source.stop()
    expect(sizes).toEqual([4096, 4096, 1808])
  })

  it('tell what the timestamps are taken for', async () => {
    using folder = temporaryFolder()
    const { lines } = await replay(write(folder.path, `${header}A,1771079405,1\nA,1771079406,1\nA,2026-02-14,1\n`))
    expect(lines.map((line) => line.replace(/^.*csv /, ''))).toEqual([
      'line 2: timestamps are epoch seconds',
      'line 4: timestamps are dates',
      'line 4: times without an offset are read as UTC; --time-zone names another zone',
    ])
  })
})

describe('a replay that goes on', () => {
  it(
    'sends to each partition what is missing there, once, in order',
    async () => {
      using folder = temporaryFolder()
      const text = `${header}${csvOf(400)}`
      const paths = [write(folder.path, text), writeGzip(folder.path, text)]
      const { messages } = await replay(paths[0] ?? '')
      const done = fc.tuple(...Array.from({ length: partitionCount }, () => fc.integer({ min: 0, max: 150 })))
      await fc.assert(
        fc.asyncProperty(done, fc.constantFrom(...paths), async (counts, path) => {
          const counted = counts.map((count, i) => Math.min(count, inPartition(messages, i).length))
          if (counted.every((count) => count === 0)) return
          const rest = await replay(path, { resume: resumeAfter(messages, counted) })
          counted.forEach((count, i) => {
            expect(inPartition(rest.messages, i)).toEqual(inPartition(messages, i).slice(count))
          })
          const places = rest.messages.map((message) => placeOf(message).line)
          expect(places).toEqual([...places].sort((a, b) => a - b))
        }),
        { ...propertyRuns, numRuns: Math.min(100, propertyRuns.numRuns) },
      )
    },
    fileRunsTimeoutMs,
  )

  it('goes on with the lines that were appended, in the pass that it was', async () => {
    using folder = temporaryFolder()
    const path = write(folder.path, `${header}${csvOf(50)}`)
    const { messages } = await replay(path, { clock: new SimulatedClock({ isEager: true, wallMs: 1000 }) })
    const counts = [0, 1, 2].map((partition) => inPartition(messages, partition).length)
    appendFileSync(path, csvOf(7, 50))
    const rest = await replay(path, {
      resume: resumeAfter(messages, counts),
      clock: new SimulatedClock({ isEager: true, wallMs: 2000 }),
    })
    expect(rest.messages.map((message) => placeOf(message).line)).toEqual([52, 53, 54, 55, 56, 57, 58])
    expect(rest.messages[0]?.headers.replay).toBe(messages[0]?.headers.replay)
  })

  it('says when there is nothing new', async () => {
    using folder = temporaryFolder()
    const path = write(folder.path, `${header}${csvOf(50)}`)
    const { messages } = await replay(path)
    const counts = [0, 1, 2].map((partition) => inPartition(messages, partition).length)
    const rest = await replay(path, { resume: resumeAfter(messages, counts) })
    expect(rest.messages).toEqual([])
    expect(rest.lines).toEqual([
      expect.stringMatching(/nothing of .* is new to the topic; --from-start sends it again/),
    ])
    expect(rest.description).toMatch(/continuing after line 51$/)
  })

  it('can be stopped while it looks for the first line that is new', async () => {
    using folder = temporaryFolder()
    const path = writeGzip(folder.path, `${header}${csvOf(60_000)}`)
    const { messages } = await replay(path)
    const counts = [0, 1, 2].map((partition) => inPartition(messages, partition).length)
    const stop = new AbortController()
    const file = await ReplayFile.open(path)
    const read = file.read.bind(file)
    let reads = 0
    file.read = (buffer, at) => {
      reads += 1
      if (reads === 2) stop.abort()
      return read(buffer, at)
    }
    const source = await openReplay(path, { resume: resumeAfter(messages, counts), file })
    expect(await source.next(stop.signal)).toBeUndefined()
    expect(reads).toBe(2)
    await source.stop()
  })

  it.each([
    ['frames', (prices: string[]) => `{"data":[${prices.slice(0, 7)}]}\n{"data":[${prices.slice(7)}]}\n`, 'data[].p'],
    ['an array', (prices: string[]) => `[\n${prices.join(',\n')}\n]`, 'p'],
  ] as const)(
    'sends each price of %s once',
    async (_what, textOf, close) => {
      using folder = temporaryFolder()
      const prices = Array.from(
        { length: 20 },
        (_, i) => `{"symbol":"S${i % 5}","time":${1_771_079_405_000 + i},"p":${i}}`,
      )
      const mapping = new Map([['close', close]] as const)
      const path = write(folder.path, textOf(prices))
      const { messages } = await replay(path, { mapping })
      expect(messages.map((message) => priceOf(message).close)).toEqual(prices.map((_, i) => i))
      const counts = fc.tuple(...Array.from({ length: partitionCount }, () => fc.integer({ min: 0, max: 20 })))
      await fc.assert(
        fc.asyncProperty(counts, async (drawn) => {
          const counted = drawn.map((count, i) => Math.min(count, inPartition(messages, i).length))
          if (counted.every((count) => count === 0)) return
          const rest = await replay(path, { mapping, resume: resumeAfter(messages, counted) })
          counted.forEach((count, i) => {
            expect(inPartition(rest.messages, i)).toEqual(inPartition(messages, i).slice(count))
          })
        }),
        { ...propertyRuns, numRuns: Math.min(50, propertyRuns.numRuns) },
      )
    },
    fileRunsTimeoutMs,
  )

  it('goes on behind quoted line breaks', async () => {
    using folder = temporaryFolder()
    const noted = csvOf(60).replaceAll('\n', ',"a\nb"\n')
    const text = `symbol,timestamp,close,note\n${noted}`
    for (const path of [write(folder.path, text), writeGzip(folder.path, text)]) {
      const { messages } = await replay(path)
      const counts = [3, 2, 4]
      const rest = await replay(path, { resume: resumeAfter(messages, counts) })
      expect(rest.rejected).toBe(0)
      counts.forEach((count, i) => {
        expect(inPartition(rest.messages, i)).toEqual(inPartition(messages, i).slice(count))
      })
    }
  })

  it('refuses a file whose lines have moved', async () => {
    using folder = temporaryFolder()
    const { messages } = await replay(write(folder.path, `${header}${csvOf(50)}`))
    const changed = `${header}${csvOf(50).replace(',3.50', ',3.500')}`
    const resume = resumeAfter(messages, [5, 6, 7])
    for (const path of [write(folder.path, changed), writeGzip(folder.path, changed)]) {
      await expect(replay(path, { resume })).rejects.toThrow(
        expect.objectContaining({
          code: 'KPI_FEED_FILE',
          message: expect.stringMatching(/was changed since .*line \d+ began at byte \d+, now \d+.*--from-start/),
        }),
      )
    }
  })

  it('refuses a file that has become shorter', async () => {
    using folder = temporaryFolder()
    const path = write(folder.path, `${header}${csvOf(50)}`)
    const { messages } = await replay(path)
    const counts = [0, 1, 2].map((partition) => inPartition(messages, partition).length)
    truncateSync(path, header.length + csvOf(20).length)
    await expect(replay(path, { resume: resumeAfter(messages, counts) })).rejects.toThrow(/was changed since/)
  })
})

describe('a replay at a speed', () => {
  it('waits as long as the lines are apart', async () => {
    using folder = temporaryFolder()
    const clock = new SimulatedClock({ isEager: true })
    const began = clock.wallMs()
    const { messages } = await replay(write(folder.path, `${header}${csvOf(101)}`), { speed: 10, clock })
    expect(messages).toHaveLength(101)
    expect(clock.wallMs() - began).toBe(10_000)
    expect(priceOf(messages[100] as TakenMessage).timestamp).toBe(new Date(startMs + 100_000).toISOString())
  })

  it('sends what is due before it waits', async () => {
    using folder = temporaryFolder()
    const text = `${header}A,${startMs},1\nA,${startMs},2\nA,${startMs + 5000},3\n`
    const clock = new SimulatedClock({ isEager: true })
    const source = await openReplay(write(folder.path, text), { speed: 1, clock })
    const { signal } = new AbortController()
    expect((await source.next(signal))?.count).toBe(2)
    expect(clock.waits).toEqual([])
    expect((await source.next(signal))?.count).toBe(1)
    expect(clock.waits).toEqual([5000])
    await source.stop()
  })

  it('ends its waiting when it is told to stop, and loses nothing when it is asked again', async () => {
    using folder = temporaryFolder()
    const stop = new AbortController()
    const clock = new SimulatedClock({ isEager: true })
    clock.after = () => {
      queueMicrotask(() => stop.abort())
      return () => undefined
    }
    const source = await openReplay(write(folder.path, `${header}${csvOf(2)}`), { speed: 1, clock })
    await source.next(stop.signal)
    expect(await source.next(stop.signal)).toBeUndefined()
    clock.skip(1000)
    expect(await takeAll(source)).toHaveLength(1)
    await source.stop()
  })

  it('sends the times at which lines are due, when it is told to', async () => {
    using folder = temporaryFolder()
    const clock = new SimulatedClock({ isEager: true })
    const began = clock.wallMs()
    const path = write(folder.path, `${header}${csvOf(4)}`)
    const { messages } = await replay(path, { speed: 1, shiftToNow: true, clock })
    expect(messages.map((message) => Date.parse(priceOf(message).timestamp) - began)).toEqual([0, 1000, 2000, 3000])
    const fast = await replay(path, { shiftToNow: true, clock: new SimulatedClock({ isEager: true, wallMs: began }) })
    expect(new Set(fast.messages.map((message) => Date.parse(priceOf(message).timestamp)))).toEqual(new Set([began]))
  })

  it('shifts the time of a line that is a message already, and keeps the rest of it', async () => {
    using folder = temporaryFolder()
    const line = '{"symbol":"A","timestamp":"2013-10-07T08:00:00Z","close":1.50,"volume":2}\n'
    const clock = new SimulatedClock({ isEager: true, wallMs: startMs })
    const { values } = await replay(write(folder.path, line), { shiftToNow: true, clock })
    expect(values).toEqual(['{"symbol":"A","timestamp":"2026-02-14T14:30:00.000Z","close":1.50,"volume":2}'])
  })
})

it('a file that breaks off is sent as far as it goes', async () => {
  using folder = temporaryFolder()
  const path = writeGzip(folder.path, `${header}${csvOf(50_000)}`)
  truncateSync(path, 100_000)
  const log = new KeptLog()
  const source = await openReplay(path, { log })
  const taken: TakenMessage[] = []
  const { signal } = new AbortController()
  const takeOn = async () => {
    for (let batch = await source.next(signal); batch; batch = await source.next(signal)) {
      taken.push(...Array.from({ length: batch.count }, () => ({ key: '', value: '', headers: {} })))
    }
  }
  await expect(takeOn()).rejects.toThrow(/cannot be read beyond byte \d+: it is cut off/)
  expect(taken.length).toBeGreaterThan(4096)
  await source.stop()
})
