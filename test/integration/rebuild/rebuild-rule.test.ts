// Which windows are left alone: the rule as SQL in the store, and as a function in the core, on the same cases.
import { expect, it } from 'vitest'
import { isTouched } from '../../../src/kpi/log-losses.ts'
import type { PartialRow } from '../../../src/kpi/partial.ts'
import { postgresOptions } from '../../../src/store/client/connection.ts'
import { applyPlan, leftWindows, planRows } from '../../../src/store/rebuild/rows.ts'
import { mergeIntoShadow, withRebuildSession } from '../../../src/store/rebuild/session.ts'
import { makePipeline } from '../scenes/pipeline.ts'

const windowSeconds = 300
const latestUs = 40 * 300e6
const likelyLatestUs = 25 * 300e6
const cut = {
  partition: 0,
  kind: 'cut',
  fromOffset: 0,
  toOffset: 1,
  fromEventUs: 50.5 * 300e6,
  toEventUs: 52 * 300e6,
} as const
const hole = { partition: 0, from: 0, to: 1, why: 'deleted', latestUs } as const

interface Case {
  readonly symbol: string
  readonly window: number
  readonly inTable: number
  readonly inLog: number
}

const counts = [0, 1, 2]
/** On both sides of each bound, with each pair of counts. */
const cases: Case[] = [0, 25, 26, 40, 41, 49, 50, 51, 52, 53, 60].flatMap((window) =>
  counts.flatMap((inTable) => counts.map((inLog) => ({ symbol: `S${inTable}${inLog}`, window, inTable, inLog }))),
)

function rowsOf(count: 'inTable' | 'inLog'): PartialRow[] {
  return cases.filter((some) => some[count] > 0).map((some) => row(some, some[count]))
}

function row({ symbol, window }: Case, n: number): PartialRow {
  const price = { timestampUs: window * 300e6, partition: 0, offset: window, price: 1n }
  return {
    ...{ symbol, windowStartUs: window * 300e6, n, sumClose: BigInt(n), sumCloseSq: BigInt(n), sumCloseVolume: 0n },
    ...{ sumVolume: 0n, minClose: 1n, maxClose: 1n, high: 1n, low: 1n, first: price, last: price, lateCount: 0 },
  }
}

it('are the same by both', async () => {
  await using pipeline = await makePipeline()
  const rules = { filter: {}, windowSeconds, allowedLatenessSeconds: 120 }
  const left = await withRebuildSession(postgresOptions(pipeline.config), async (session) => {
    await mergeIntoShadow(session, { windowSeconds, decimals: 8 }, rowsOf('inTable'))
    await planRows(session, { ...rules, losses: { latestUs: -1, likelyLatestUs: -1, cuts: [] } })
    await applyPlan(session)
    await session.run('TRUNCATE pg_temp.kpi_market_prices, rebuild_plan')
    await mergeIntoShadow(session, { windowSeconds, decimals: 8 }, rowsOf('inLog'))
    await planRows(session, { ...rules, losses: { latestUs, likelyLatestUs, cuts: [cut] } })
    return leftWindows(session, 1000)
  })
  const expected = cases.filter(({ window, inTable, inLog }) => {
    if (inTable === inLog) return false
    const isLarger = inTable > inLog
    const startUs = window * 300e6
    const isTouchedAtAll = isTouched({ holes: [hole], gaps: [cut] }, startUs, windowSeconds, isLarger)
    return isTouchedAtAll || (!isLarger && startUs <= likelyLatestUs)
  })
  const windows = expected.map(({ symbol, window, ...n }) => ({ symbol, startUs: window * 300e6, ...n }))
  expect(left).toEqual(windows.sort((a, b) => a.startUs - b.startUs || (a.symbol < b.symbol ? -1 : 1)))
  expect(left.length).toBeGreaterThan(10)
})
