// A transaction of another application stays open while others write: what waits behind it is seen by every view.
import { expect, it, vi } from 'vitest'
import { openTransactions } from '../../../src/kafka/log/open-transactions.ts'
import { judge } from '../../unit/observe/scene.ts'
import { health, lookAt, observe, sendNow, told } from '../scenes/observing.ts'
import { makePipeline } from '../scenes/pipeline.ts'
import { marketKpi } from '../scenes/processes.ts'
import { openTransaction, transactionalProducer } from '../scenes/transactions.ts'
import { until } from '../scenes/until.ts'
import { startWorker, untilCounted } from '../scenes/worker.ts'

it('the backlog behind it is counted, and the transaction reported by its producer', async () => {
  await using pipeline = await makePipeline({ partitions: 1 })
  const { topic } = pipeline.metadata
  const worker = await startWorker(pipeline)
  try {
    await sendNow(pipeline, 3)
    await untilCounted(pipeline, 3)
    const beganMs = Date.now()
    await using open = await openTransaction(topic, 0, ['not decided'])
    await sendNow(pipeline, 2000)
    const snapshot = await lookAt(pipeline)
    const [partition] = told(snapshot.kafka.log).partitions
    expect(partition).toMatchObject({
      endOffset: 2004,
      openTransaction: { startOffset: 3, producerId: expect.any(Number), transactionalId: `${topic}-open` },
    })
    const { producerId, sinceMs } = partition?.openTransaction ?? {}
    expect(Math.abs(Number(sinceMs) - beganMs)).toBeLessThan(5000)
    expect(Math.abs(snapshot.takenAtMs - Number(partition?.nextRecordAtMs))).toBeLessThan(60_000)
    expect(judge(snapshot).measures).toMatchObject({ lagMessages: { value: 2001 }, readableLagMessages: { value: 0 } })

    const env = { ...pipeline.env, TRANSACTION_WARNING_SECONDS: '1' }
    const { stdout } = await until(
      'a warning',
      () => health(env),
      ({ code }) => code === 1,
    )
    const who = `the transaction of producer ${producerId} ('${topic}-open') that begins at offset 3`
    expect(stdout).toContain(`Consumer lag: WARNING - partition 0: 2,001 messages wait for ${who}, open since 20`)
    expect(stdout).toMatch(/^DEGRADED: /m)

    const show = marketKpi(['offsets', 'show'], pipeline.env)
    expect((await show.exited).code, show.stderr()).toBe(0)
    expect(show.stdout()).toContain(`partition 0: 2001 messages wait for ${who}, open since 20`)

    await open.commit()
    await untilCounted(pipeline, 2004)
    expect(judge(await lookAt(pipeline)).measures.lagMessages).toEqual({ state: 'ok', value: 0 })
  } finally {
    await worker.stop()
  }
})

it('has been open since the broker took its first message, where no coordinator tells', async () => {
  await using pipeline = await makePipeline({ partitions: 1 })
  const { cluster, metadata } = pipeline
  const beganMs = Date.now()
  await using _open = await openTransaction(metadata.topic, 0, ['not decided'])
  vi.spyOn(cluster, 'brokers', 'get').mockReturnValue([])
  const [found] = [...(await openTransactions(cluster, metadata, new Map([[0, 0]]))).values()]
  expect(found).toMatchObject({ startOffset: 0, producerId: expect.any(Number), transactionalId: null })
  expect(Math.abs(Number(found?.sinceMs) - beganMs)).toBeLessThan(5000)
})

it('transactions that are open for a moment, one after the other, are no finding and leave no lag', async () => {
  await using pipeline = await makePipeline({ partitions: 1 })
  const { topic } = pipeline.metadata
  const worker = await startWorker(pipeline)
  const producer = transactionalProducer(`${topic}-short`)
  try {
    const observer = observe({ ...pipeline.config, transactionWarningSeconds: 5, stalledSeconds: 5 })
    await sendNow(pipeline, 1)
    await untilCounted(pipeline, 1)
    let seenOpen = 0
    for (let round = 0; round < 20; round++) {
      const transaction = await producer.beginTransaction()
      await transaction.send({ messages: [{ topic, partition: 0, key: 'K', value: 'short' }] })
      await sendNow(pipeline, 10)
      const { snapshot, assessment } = await observer.observe(0)
      if (told(snapshot.kafka.log).partitions[0]?.openTransaction) seenOpen += 1
      const rules = assessment.findings.filter(({ isUnknown }) => !isUnknown).map(({ rule }) => rule)
      expect(rules).not.toContain('TransactionStuck')
      expect(rules).not.toContain('ConsumerStalled')
      await transaction.commit()
    }
    expect(seenOpen).toBeGreaterThan(10)
    await untilCounted(pipeline, 221)
    await until(
      'no lag',
      async () => (await observer.observe(0)).assessment.measures.lagMessages,
      (lag) => lag.state === 'ok' && lag.value === 0,
    )
  } finally {
    await producer.close()
    await worker.stop()
  }
})
