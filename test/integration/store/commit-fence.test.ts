// The fence: of all who believe that a partition is theirs, one commits and the others keep nothing.
import { describe, expect, it } from 'vitest'
import { KpiError } from '../../../src/errors.ts'
import { type PartialRow, partialOf } from '../../../src/kpi/partial.ts'
import { comparePositions, readPositions } from '../../../src/store/positions/positions.ts'
import { acceptNewTopic } from '../../../src/store/schema/schema.ts'
import type { DeadLetter } from '../../../src/store/windows/commit.ts'
import { shuffled } from '../scenes/market.ts'
import { StoreScene } from '../scenes/store-scene.ts'
import { until } from '../scenes/until.ts'

const moved = { code: 'KPI_POSITION_MOVED', retryable: true }

function rowOf(symbol: string, n: number, partition = 0, offset = 0): PartialRow {
  const bar = { symbol, timestampUs: 5, open: 100n, high: 100n, low: 100n, close: 100n, volume: 1n }
  const one = partialOf(bar, { windowStartUs: 0, partition, offset, isLate: false })
  const times = BigInt(n)
  const products = { sumCloseSq: 10_000n * times, sumCloseVolume: 100n * times }
  return { ...one, n, sumClose: 100n * times, sumVolume: times, ...products }
}

function letterOf(partition: number, offset: number): DeadLetter {
  return { partition, offset, reason: 'not_json', detail: 'x', payload: null, key: null, timestampMs: null }
}

async function totalTrades(scene: StoreScene): Promise<number> {
  const [row] = await scene.owner.query<{ n: number }>({
    text: 'SELECT coalesce(sum(trade_count), 0)::bigint AS n FROM kpi_market_prices',
  })
  return row?.n ?? -1
}

/** Until so many sessions of workers wait for a lock. */
async function untilWaiting(scene: StoreScene, count: number): Promise<void> {
  await until(
    `${count} sessions that wait`,
    async () => {
      const [row] = await scene.owner.query<{ n: number }>({
        text: `SELECT count(*) AS n FROM pg_stat_activity
          WHERE datname = current_database() AND application_name = 'test worker' AND wait_event_type = 'Lock'`,
      })
      return row?.n ?? 0
    },
    (waiting) => waiting === count,
  )
}

describe('a batch', () => {
  it('counts its offsets, rows and letters together', async () => {
    await using scene = await StoreScene.open()
    const worker = await scene.worker()
    const advances = [
      { partition: 2, from: 0, merged: 3, rejected: 1, withoutMessage: 2, watermarkUs: 50 },
      { partition: 0, from: 0, withoutMessage: 4 },
    ]
    await scene.commit(worker, advances, [rowOf('A', 3)], [letterOf(2, 1)])
    await scene.commit(worker, [{ partition: 2, from: 6, merged: 1, watermarkUs: 20 }], [rowOf('A', 1)])
    expect(await scene.counters()).toEqual([
      [4, 0, 0, 4],
      [0, 0, 0, 0],
      [7, 4, 1, 2],
    ])
    expect(await totalTrades(scene)).toBe(4)
    // The watermark never goes back.
    expect((await readPositions(worker, scene.key)).map(({ watermarkUs }) => watermarkUs)).toEqual([-1, -1, 50])
  })

  it('that was written is not written again', async () => {
    await using scene = await StoreScene.open()
    const worker = await scene.worker()
    const batch = [[{ partition: 0, from: 0, merged: 2, rejected: 1 }], [rowOf('A', 2)], [letterOf(0, 2)]] as const
    await scene.commit(worker, ...batch)
    await expect(scene.commit(worker, ...batch)).rejects.toMatchObject({
      ...moved,
      message: 'the position of 1 of 1 partitions has moved',
    })
    expect(await scene.counters()).toContainEqual([3, 2, 1, 0])
    expect([await totalTrades(scene), await scene.count('dead_letters')]).toEqual([2, 1])
  })

  it('of which only some partitions moved keeps nothing of any', async () => {
    await using scene = await StoreScene.open()
    const worker = await scene.worker()
    await scene.commit(worker, [{ partition: 1, from: 0, merged: 1 }], [rowOf('A', 1)])
    const advances = [0, 1, 2].map((partition) => ({ partition, from: 0, merged: 1 }))
    await expect(scene.commit(worker, advances, [rowOf('A', 1), rowOf('B', 2)])).rejects.toMatchObject(moved)
    expect(await scene.counters()).toEqual([
      [0, 0, 0, 0],
      [1, 1, 0, 0],
      [0, 0, 0, 0],
    ])
    expect([await totalTrades(scene), await scene.count('kpi_market_prices')]).toEqual([1, 1])
  })

  it('of a partition without a position is refused', async () => {
    await using scene = await StoreScene.open()
    const worker = await scene.worker()
    await expect(scene.commit(worker, [{ partition: 7, from: 0, merged: 1 }], [rowOf('A', 1)])).rejects.toMatchObject(
      moved,
    )
    expect(await totalTrades(scene)).toBe(0)
  })

  it('that does not add up is our own mistake, and is not sent', async () => {
    await using scene = await StoreScene.open()
    const worker = await scene.worker()
    const wrong: Parameters<StoreScene['batch']>[] = [
      [[{ partition: 0, from: 0, merged: 2 }], [rowOf('A', 1)]],
      [[{ partition: 0, from: 0, rejected: 1 }]],
      [
        [
          { partition: 0, from: 0, merged: 1 },
          { partition: 0, from: 0 },
        ],
        [rowOf('A', 1)],
      ],
      [[]],
    ]
    for (const batch of wrong) {
      const failure = scene.commit(worker, ...batch)
      await expect(failure).rejects.toThrow(/^assertion failed: /)
      await expect(failure).rejects.not.toBeInstanceOf(KpiError)
    }
    expect(await scene.counters()).toEqual([
      [0, 0, 0, 0],
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ])
  })
})

describe('two sessions', () => {
  it('with the same batch: the second waits for the first, and keeps nothing', async () => {
    await using scene = await StoreScene.open()
    const worker = await scene.worker({ maxConnections: 2 })
    const held = Promise.withResolvers<void>()
    const started = Promise.withResolvers<void>()
    const first = scene.owner.transaction(async (client) => {
      await client.query('SELECT FROM kpi_consumer_offsets WHERE partition = 1 FOR UPDATE')
      started.resolve()
      await held.promise
    })
    await started.promise
    const advances = [0, 1, 2].map((partition) => ({ partition, from: 0, merged: 1 }))
    const results = Promise.allSettled([1, 2].map(() => scene.commit(worker, advances, [rowOf('A', 3)])))
    await untilWaiting(scene, 2)
    held.resolve()
    await first
    expect((await results).map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(await totalTrades(scene)).toBe(3)
  })

  it('of which the first fails: the second goes on', async () => {
    await using scene = await StoreScene.open()
    const worker = await scene.worker()
    const failed = scene.owner.transaction(async (client) => {
      await client.query('UPDATE kpi_consumer_offsets SET next_offset = 9, merged = 9 WHERE partition = 0')
      const second = scene.commit(worker, [{ partition: 0, from: 0, merged: 1 }], [rowOf('A', 1)])
      await untilWaiting(scene, 1)
      return Promise.reject(Object.assign(new Error('taken back'), { second }))
    })
    const { second } = (await failed.catch(({ cause }: KpiError) => cause)) as { second: Promise<void> }
    await second
    expect(await scene.counters()).toContainEqual([1, 1, 0, 0])
  })

  it('that open the same partitions agree on their positions', async () => {
    await using scene = await StoreScene.open({ partitions: 0 })
    const workers = await Promise.all([1, 2, 3, 4].map(() => scene.worker()))
    const opened = await Promise.all(
      workers.map((worker, i) => scene.openPositions(worker, new Map([0, 1, 2].map((p) => [p, 100 * i + p])))),
    )
    expect(new Set(opened.map((positions) => JSON.stringify(positions))).size).toBe(1)
    expect(opened[0]).toHaveLength(3)
  })
})

describe('another definition', () => {
  const other = () => ({ topicId: '00000000-0000-0000-0000-000000000001' })

  it('ends those who work under the one before', async () => {
    await using scene = await StoreScene.open()
    const worker = await scene.worker()
    await scene.commit(worker, [{ partition: 0, from: 0, merged: 1 }], [rowOf('A', 1)])
    const done = await acceptNewTopic(scene.ownerOptions, { ...scene.definition, ...other() })
    expect(done).toEqual([expect.stringContaining('archived 1 rows')])
    const batch = [[{ partition: 0, from: 1, merged: 1 }], [rowOf('A', 1)]] as const
    // Its position went with the topic.
    await expect(scene.commit(worker, ...batch)).rejects.toMatchObject(moved)
    const mismatch = { code: 'KPI_DEFINITION_MISMATCH', retryable: false }
    await expect(scene.openPositions(worker, new Map([[0, 1]]))).rejects.toMatchObject(mismatch)
    expect(await scene.counters()).toEqual([])
    // Even where somebody else has opened the same partition at the same offset.
    await scene.owner.query({
      text: `INSERT INTO kpi_consumer_offsets (consumer_group, topic, partition, first_offset, next_offset)
        VALUES ($1, $2, 0, 1, 1)`,
      values: [scene.key.group, scene.key.topic],
    })
    await expect(scene.commit(worker, ...batch)).rejects.toMatchObject(mismatch)
    expect(await scene.counters()).toEqual([[1, 0, 0, 0]])
    expect(await totalTrades(scene)).toBe(0)
  })

  it('waits for those who are opening partitions under the one before, and takes theirs away', async () => {
    await using scene = await StoreScene.open({ partitions: 0 })
    const worker = await scene.worker()
    const opening = worker.transaction(async (client) => {
      const { definitionId, group, topic } = scene.key
      await client.query('SELECT kpi_open_positions($1, $2, $3, $4, $5)', [definitionId, group, topic, [0], [500]])
      const accepting = acceptNewTopic(scene.ownerOptions, { ...scene.definition, ...other() })
      await until(
        'one that waits for the definition',
        () =>
          scene.owner.query({
            text: `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
          }),
        (rows) => rows.length > 0,
      )
      return { accepting }
    })
    const { accepting } = await opening
    await accepting
    expect(await scene.counters()).toEqual([])
  })
})

describe('comparePositions', () => {
  const at = (partition: number, nextOffset: number, isAtEnd?: boolean) => ({ partition, nextOffset, isAtEnd })

  it('notes since when a position is where the log ends, and until when; the next batch ends it too', async () => {
    await using scene = await StoreScene.open()
    const worker = await scene.worker()
    const compare = (...expected: ReturnType<typeof at>[]) => comparePositions(worker, scene.key, expected)
    const idle = async () => {
      const rows = await scene.owner.query<{ partition: number }>({
        text: 'SELECT partition FROM kpi_consumer_offsets WHERE idle_since IS NOT NULL ORDER BY partition',
      })
      return rows.map(({ partition }) => partition)
    }
    expect(await compare()).toEqual([])
    expect(await compare(at(0, 0, true), at(1, 5, true), at(2, 0, true))).toEqual([1])
    expect(await idle()).toEqual([0, 2])
    const since = () => scene.owner.query({ text: 'SELECT idle_since FROM kpi_consumer_offsets WHERE partition = 0' })
    const before = await since()
    expect(await compare(at(0, 0, true))).toEqual([])
    expect(await since()).toEqual(before)
    await scene.commit(worker, [{ partition: 2, from: 0, merged: 1 }], [rowOf('A', 1)])
    expect(await idle()).toEqual([0])
    // An end that is not known changes nothing, nor does a position that is elsewhere.
    expect(await compare(at(0, 0), at(0, 5, false))).toEqual([0])
    expect(await idle()).toEqual([0])
    expect(await compare(at(0, 0, false), at(1, 0, false))).toEqual([])
    expect(await idle()).toEqual([])
  })

  it('names each position that is elsewhere or is not there, while others are being committed', async () => {
    await using scene = await StoreScene.open()
    const worker = await scene.worker()
    await scene.commit(worker, [{ partition: 1, from: 0, merged: 3 }], [rowOf('A', 3)])
    const expected = [at(0, 0), at(1, 5, true), at(2, 0, true), at(9, 0, true)]
    await scene.owner.transaction(async (client) => {
      await client.query('SELECT FROM kpi_consumer_offsets FOR UPDATE')
      expect(await comparePositions(worker, scene.key, expected)).toEqual([1, 9])
    })
  })
})

describe('the leader epoch', () => {
  it('is kept with the position, and forgotten where a batch of an earlier version brings none', async () => {
    await using scene = await StoreScene.open()
    const worker = await scene.worker()
    const epochs = async () =>
      (await readPositions(worker, scene.key)).map(({ leaderEpoch, epochFrom }) => [leaderEpoch, epochFrom])
    expect(await epochs()).toEqual(Array(3).fill([-1, -1]))
    const epoch = { leaderEpoch: 7, epochFrom: 2 }
    await scene.commit(worker, [{ partition: 1, from: 0, merged: 3, epoch }], [rowOf('A', 3)])
    expect(await epochs()).toEqual([
      [-1, -1],
      [7, 2],
      [-1, -1],
    ])
    await scene.commit(worker, [{ partition: 1, from: 3, merged: 1 }], [rowOf('A', 1)])
    expect(await epochs()).toEqual(Array(3).fill([-1, -1]))
  })

  it('does not stay behind a worker of the previous version, which commits without it', async () => {
    await using scene = await StoreScene.open()
    const worker = await scene.worker()
    const epoch = { leaderEpoch: 7, epochFrom: 0 }
    await scene.commit(worker, [{ partition: 0, from: 0, withoutMessage: 3, epoch }])
    const { definitionId, group, topic } = scene.key
    const arrays = ['{0}', '{3}', '{5}', '{-1}', '{0}', '{0}', '{2}', ...Array(27).fill('{}')]
    const places = Array.from({ length: 37 }, (_, i) => `$${i + 1}`).join(', ')
    await worker.query({ text: `SELECT kpi_commit(${places})`, values: [definitionId, group, topic, ...arrays] })
    const [position] = await readPositions(worker, scene.key, [0])
    expect(position).toMatchObject({ nextOffset: 5, leaderEpoch: -1, epochFrom: -1 })
  })
})

it('eight sessions that fight for eight partitions lose nothing, count nothing twice and never deadlock', async () => {
  const partitions = Array.from({ length: 8 }, (_, i) => i)
  await using scene = await StoreScene.open({ partitions: 8 })
  const seed = Number(process.env.FC_SEED ?? 7)
  const failures: string[] = []
  const committed = Array.from({ length: 8 }, () => 0)
  const fight = async (session: number) => {
    const worker = await scene.worker({ maxConnections: 1 })
    for (let round = 0; round < 60; round++) {
      const positions = await readPositions(worker, scene.key)
      // Some partitions, in any order; rows that all sessions share.
      const chosen = shuffled(positions, seed + session * 1000 + round).slice(0, 1 + (round % 5))
      const advances = chosen.map(({ partition, nextOffset }) => ({
        ...{ partition, from: nextOffset, merged: 2, rejected: 1, withoutMessage: 1 },
      }))
      const rows = Array.from({ length: advances.length * 2 }, (_, i) => rowOf(`S${(i + round) % 20}`, 1, i, round))
      const letters = advances.map(({ partition, from }) => letterOf(partition, from + 2))
      try {
        await scene.commit(worker, advances, rows, letters)
        for (const { partition } of advances) committed[partition] = (committed[partition] ?? 0) + 1
      } catch (error) {
        if (!(error instanceof KpiError && error.code === 'KPI_POSITION_MOVED')) failures.push(String(error))
      }
    }
  }
  await Promise.all(partitions.map(fight))
  expect(failures).toEqual([])
  expect(await scene.counters()).toEqual(committed.map((n) => [4 * n, 2 * n, n, n]))
  const total = committed.reduce((sum, n) => sum + n, 0)
  expect(total).toBeGreaterThan(60)
  expect([await totalTrades(scene), await scene.count('dead_letters')]).toEqual([2 * total, total])
  const [sums] = await scene.owner.query<{ equal: boolean }>({
    text: 'SELECT bool_and(sum_close = trade_count * 0.000001 AND total_volume = trade_count * 0.00000001) AS equal FROM kpi_market_prices',
  })
  expect(sums?.equal).toBe(true)
})
