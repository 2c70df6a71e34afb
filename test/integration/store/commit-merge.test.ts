// Rows are what the set of messages comes to, exactly, however it was cut into partials and batches.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Database } from '../../../src/store/client/connection.ts'
import { propertyRuns } from '../../unit/kpi/property-runs.ts'
import { shuffled } from '../scenes/market.ts'
import { StoreScene } from '../scenes/store-scene.ts'
import { derivedFaults, type ModelMessage, messages, modelRows, partialsOf, tableRows } from '../scenes/trade-model.ts'
import { until } from '../scenes/until.ts'

/** A run is a dozen round trips. */
const numRuns = Math.min(propertyRuns.numRuns, 60)

let scene: StoreScene
let database: Database

beforeAll(async () => {
  scene = await StoreScene.open()
  database = await scene.worker()
})

afterAll(() => scene[Symbol.asyncDispose]())

async function forget(): Promise<void> {
  await scene.owner.query({
    text: `WITH rows AS (DELETE FROM kpi_market_prices)
      UPDATE kpi_consumer_offsets SET next_offset = 0, merged = 0, rejected = 0, without_message = 0`,
  })
}

/** Commits messages in batches of these sizes; a batch counts as that many offsets of partition 0. */
async function commitInBatches(all: readonly ModelMessage[], sizes: Iterable<number>): Promise<void> {
  const iterator = sizes[Symbol.iterator]()
  for (let at = 0; at < all.length; ) {
    const batch = all.slice(at, at + 1 + (iterator.next().value ?? 10))
    await scene.commit(database, [{ partition: 0, from: at, merged: batch.length }], partialsOf(batch))
    at += batch.length
  }
}

describe('the rows', () => {
  it('equal those of a plain model, in whatever order and batches the messages come', async () => {
    await fc.assert(
      fc.asyncProperty(messages, fc.integer(), fc.infiniteStream(fc.nat({ max: 15 })), async (all, seed, sizes) => {
        await forget()
        await commitInBatches(shuffled(all, seed), sizes)
        const rows = await tableRows(scene.owner)
        expect(rows.flatMap(derivedFaults)).toEqual([])
        expect(rows.map(({ avg: _a, vwap: _v, stddev: _s, ...row }) => row)).toEqual(modelRows(all))
        expect(await scene.counters()).toContainEqual([all.length, all.length, 0, 0])
      }),
      { ...propertyRuns, numRuns },
    )
  })

  it('have a standard deviation of equal prices that is 0, and one of almost equal ones that is not', async () => {
    const base = { windowStartUs: 0, symbol: 'X', timestampUs: 0, partition: 0, isLate: false, volume: 1n }
    const of = (close: bigint, offset: number) => ({ ...base, offset, close, open: close, high: close, low: close })
    for (const price of [1n, 10n ** 23n - 1n, -(10n ** 23n) + 1n, 33333333n]) {
      await forget()
      const equal = Array.from({ length: 7 }, (_, i) => of(price, i))
      await commitInBatches(equal, [2, 2, 2])
      expect((await tableRows(scene.owner)).map(({ stddev }) => Number(stddev))).toEqual([0])
      await scene.commit(database, [{ partition: 0, from: 7, merged: 1 }], partialsOf([of(price - 1n, 7)]))
      const rows = await tableRows(scene.owner)
      expect(rows.flatMap(derivedFaults)).toEqual([])
      expect(Number(rows[0]?.stddev)).toBeGreaterThan(0)
    }
  })

  it('sum millions of the largest numbers', async () => {
    await forget()
    const most = 10n ** 23n - 1n
    const n = 50_000_000
    const times = BigInt(n)
    const [one] = partialsOf([
      {
        ...{ symbol: 'X', windowStartUs: 0, timestampUs: 0, partition: 0, offset: 0, isLate: true },
        ...{ open: most, high: most, low: most, close: most, volume: most },
      },
    ])
    if (!one) throw new Error('a partial was expected')
    const products = { sumCloseSq: most * most * times, sumCloseVolume: most * most * times }
    const row = { ...one, n, lateCount: n, sumClose: most * times, sumVolume: most * times, ...products }
    for (const from of [0, n]) await scene.commit(database, [{ partition: 0, from, merged: n }], [row])
    const rows = await tableRows(scene.owner)
    expect(rows.flatMap(derivedFaults)).toEqual([])
    expect(rows).toMatchObject([{ n: 2 * n, late: 2 * n, stddev: expect.stringMatching(/^0(\.0*)?$/) }])
    expect(rows[0]?.sums[0]?.replace('.', '')).toBe((most * 2n * times).toString())
  })
})

it('merges again and again stay on their pages', async () => {
  await using fresh = await StoreScene.open()
  const worker = await fresh.worker({ maxConnections: 1 })
  const symbols = Array.from({ length: 200 }, (_, i) => `S${i}`)
  const at = (round: number): ModelMessage[] =>
    symbols.map((symbol, i) => ({
      ...{ symbol, windowStartUs: 0, timestampUs: round, partition: 0, offset: round * 200 + i, isLate: false },
      ...{ open: 100n, high: 200n, low: 50n, close: BigInt(100 + round), volume: 10n },
    }))
  let round = 0
  /** The share of updates in the next 25 rounds that touched no index. */
  const hotShare = async (): Promise<number> => {
    const before = await updateCounts(fresh, round * 200)
    for (const end = round + 25; round < end; round++) {
      await fresh.commit(worker, [{ partition: 0, from: round * 200, merged: 200 }], partialsOf(at(round)))
    }
    await worker.query({ text: 'SELECT pg_stat_force_next_flush()' })
    const after = await updateCounts(fresh, round * 200)
    return (after.hot - before.hot) / (after.all - before.all)
  }
  // The first ones find their pages full, and whoever looks at the table at the moment keeps old versions there.
  await until('merges that stay on their pages', hotShare, (share) => share > 0.9)
})

/** What the server has counted, once it has counted so many inserts and updates. */
async function updateCounts({ owner }: StoreScene, writes: number): Promise<{ all: number; hot: number }> {
  return until(
    `${writes} writes counted`,
    async () => {
      const [row] = await owner.query<{ all: number; hot: number; inserts: number }>({
        text: `SELECT n_tup_upd AS all, n_tup_hot_upd AS hot, n_tup_ins AS inserts
          FROM pg_stat_user_tables WHERE relname = 'kpi_market_prices'`,
      })
      return row ?? { all: 0, hot: 0, inserts: 0 }
    },
    ({ all, inserts }) => all + inserts >= writes,
  )
}
