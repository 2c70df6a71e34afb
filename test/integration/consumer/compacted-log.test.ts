// A topic with cleanup.policy=compact: Kafka deletes messages that were counted, in the middle of the log.
import { expect, it } from 'vitest'
import { seed } from '../../seed.ts'
import { createTopic } from '../scenes/kafka-topic.ts'
import { expectedRows, makeTrades, messageText, place, send, tableRows } from '../scenes/market.ts'
import { makePipeline } from '../scenes/pipeline.ts'
import { rebuildPipeline } from '../scenes/rebuilding.ts'
import { contentOf } from '../scenes/topic-content.ts'
import { until } from '../scenes/until.ts'
import { verifyPipeline } from '../scenes/verification.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'

const symbols = ['AAPL', 'MSFT', 'BTC/USDT', 'BRK.B']
/** Each message is in a segment that is closed when the next one comes, and compacted as soon as that is. */
const configs = {
  'cleanup.policy': 'compact',
  'message.timestamp.type': 'LogAppendTime',
  'segment.ms': '1',
  'min.cleanable.dirty.ratio': '0.0',
}

it('rows stay as they were counted, and verify says of which the log no longer holds all', async () => {
  await using pipeline = await makePipeline({
    partitions: 1,
    makeTopic: (cluster, topic) => createTopic(cluster, topic, { configs }),
  })
  const { cluster, config, owner } = pipeline
  const trades = makeTrades({ seed, count: 1200, symbols })
  const values = trades.map((trade) => ({ symbol: trade.symbol, value: messageText(trade) }))
  const { stop } = await startWorker(pipeline)
  await send(cluster, config.kafkaTopic, [...values.slice(0, 1000), { symbol: 'AAPL', value: 'not JSON' }])
  await untilCounted(pipeline, 1001)
  await send(cluster, config.kafkaTopic, values.slice(1000))
  await untilCounted(pipeline, 1201)
  await stop()
  const trulyCounted = await tableRows(owner)
  const placed = [...place(trades.slice(0, 1000), 1), ...place(trades.slice(1000), 1, [1001])]
  expect(trulyCounted).toEqual(expectedRows(placed))
  const records = async () => (await contentOf(cluster, config.kafkaTopic))[0]?.length ?? 0
  await until('compaction', records, (count) => count < 400, 120_000)

  const report = await verifyPipeline(pipeline)
  expect(report).toMatchObject({ differenceCount: 0, holes: [{ partition: 0, why: 'compacted', from: 0 }] })
  expect(report.uncheckedCount).toBeGreaterThan(0)
  // The rest is compared still.
  await owner.query({
    text: 'UPDATE kpi_market_prices SET trade_count = trade_count - 1 WHERE window_start = (SELECT max(window_start) FROM kpi_market_prices)',
  })
  expect((await verifyPipeline(pipeline)).differenceCount).toBeGreaterThan(0)
  await owner.query({
    text: 'UPDATE kpi_market_prices SET trade_count = trade_count + 1 WHERE window_start = (SELECT max(window_start) FROM kpi_market_prices)',
  })

  await rebuildPipeline(pipeline)
  expect(await tableRows(owner)).toEqual(trulyCounted)
  expect(await owner.query({ text: 'SELECT message_offset AS offset FROM dead_letters' })).toEqual([{ offset: 1000 }])
  expect(await verifyPipeline(pipeline)).toMatchObject({ differenceCount: 0 })
}, 180_000)
