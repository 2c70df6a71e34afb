// Reading from a broker that goes away and comes back, and from a log that it compacted: on a broker of its own.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { ConfigResourceTypes, IncrementalAlterConfigOperationTypes, incrementalAlterConfigsV1 } from '#kafka-protocol'
import { RecordingLog } from '../../recording-log.ts'
import { FetchRecorder, places } from '../scenes/fetch-recorder.ts'
import { makeTopic, valuesFor } from '../scenes/kafka-topic.ts'
import { send } from '../scenes/market.ts'
import { until } from '../scenes/until.ts'
import { OwnServers } from '../servers/own-servers.ts'

const own = new OwnServers()
const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `m${from + i}`)

beforeAll(() => own.startKafka())
afterAll(() => own.stop())

it.each(places)(
  'a broker that is restarted, or killed, is read on from the same offsets, $place',
  async ({ inThread }) => {
    await using topic = await makeTopic({ partitions: 3, bootstrap: own.kafka.bootstrap })
    const log = new RecordingLog()
    await using recorder = new FetchRecorder(topic, { inThread, log })
    for (const partition of [0, 1, 2]) recorder.seek(partition, 0)
    const sendPart = (part: number) =>
      send(
        topic.cluster,
        topic.name,
        [0, 1, 2].flatMap((p) => valuesFor(p, 3, numbered(100, part * 100))),
      )
    await sendPart(0)
    await recorder.untilCount(300)
    for (const [part, end] of [() => own.kafka.stop(8000), () => own.kafka.kill()].entries()) {
      log.lines.length = 0
      await end()
      await own.kafka.exited
      await until(
        'a warning',
        () => log.lines,
        (lines) => lines.length > 0,
      )
      await own.startKafka()
      await sendPart(part + 1)
      await recorder.untilCount(300 * (part + 2))
      const [warning, ...news] = log.lines
      expect(warning).toMatch(/^warn: partitions 0, 1, 2 are not read for now: .+; trying again until it works$/)
      // Each once; a busy broker may have one before the others.
      const readAgain = news.map((line) => /^info: partitions? ([\d, ]+) (?:is|are) read again$/.exec(line)?.[1])
      expect(readAgain.flatMap((list) => list?.split(', ')).sort()).toEqual(['0', '1', '2'])
    }
    for (const partition of [0, 1, 2]) expect(recorder.values(partition)).toEqual(numbered(300))
  },
)

it('a compacted log is read with its gaps counted', async () => {
  await using topic = await makeTopic({
    bootstrap: own.kafka.bootstrap,
    configs: {
      'cleanup.policy': 'compact',
      'segment.bytes': '1048576',
      'segment.ms': '500',
      'min.cleanable.dirty.ratio': '0.001',
    },
  })
  // The cleaner looks for work every 15 s otherwise.
  await setBrokerConfig(topic, 'log.cleaner.backoff.ms', '100')
  const keys = ['A', 'B', 'C']
  const values = Array.from({ length: 600 }, (_, i) => ({ symbol: keys[i % 3] ?? '', value: `m${i}` }))
  for (let at = 0; at < 600; at += 200) await send(topic.cluster, topic.name, values.slice(at, at + 200))
  let sent = 600
  const readAll = async () => {
    // The newest segment is never compacted: it has to be rolled.
    await send(topic.cluster, topic.name, [{ symbol: 'A', value: `m${sent++}` }])
    await using recorder = new FetchRecorder(topic)
    recorder.seek(0, 0)
    await until(
      'the end',
      () => recorder.of(0).next,
      (next) => next === sent,
    )
    const { messages, withoutMessage } = recorder.of(0)
    expect(messages.length + withoutMessage).toBe(sent)
    expect(messages.every(({ offset, value }) => value === `m${offset}`)).toBe(true)
    return withoutMessage
  }
  await until('gaps', readAll, (withoutMessage) => withoutMessage > 500)
})

async function setBrokerConfig(
  { cluster }: Awaited<ReturnType<typeof makeTopic>>,
  name: string,
  value: string,
): Promise<void> {
  const configs = [{ name, configOperation: IncrementalAlterConfigOperationTypes.SET, value }]
  const resource = { resourceType: ConfigResourceTypes.BROKER, resourceName: '', configs }
  await cluster.request('any', 'control', incrementalAlterConfigsV1.api, [resource], false)
}
