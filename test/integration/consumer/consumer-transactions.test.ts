// Messages behind an open transaction of another application: they wait, and the pipeline knows that they do.
import { expect, it } from 'vitest'
import { send } from '../scenes/market.ts'
import { makePipeline, type Pipeline } from '../scenes/pipeline.ts'
import { openTransaction } from '../scenes/transactions.ts'
import { until } from '../scenes/until.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'

function message(symbol: string) {
  return { symbol, value: `{"symbol":"${symbol}","timestamp":0,"close":1,"volume":1}` }
}

async function untilIdle({ owner }: Pipeline, wanted: boolean): Promise<void> {
  await until(
    wanted ? 'idle' : 'no longer idle',
    () => owner.query<{ idle: boolean }>({ text: 'SELECT idle_since IS NOT NULL AS idle FROM kpi_consumer_offsets' }),
    (rows) => rows.length === 1 && rows[0]?.idle === wanted,
  )
}

it('a partition whose messages wait for a transaction is not idle, and its worker counts them', async () => {
  await using pipeline = await makePipeline({ partitions: 1 })
  const { topic } = pipeline.metadata
  const { worker, stop } = await startWorker(pipeline)
  try {
    await send(pipeline.cluster, topic, [message('A')])
    await untilCounted(pipeline, 1)
    await untilIdle(pipeline, true)
    expect(worker.figures.unreadOffsets).toBe(0)
    await using open = await openTransaction(topic, 0, [message('B').value])
    await send(pipeline.cluster, topic, [message('C'), message('D')])
    await untilIdle(pipeline, false)
    expect(worker.figures).toMatchObject({ merged: 1, unreadOffsets: 3 })
    await open.commit()
    await untilCounted(pipeline, 4)
    await untilIdle(pipeline, true)
    expect(worker.figures).toMatchObject({ merged: 4, unreadOffsets: 0 })
  } finally {
    await stop()
  }
})
