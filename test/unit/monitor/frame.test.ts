import { describe, expect, it } from 'vitest'
import { widthOf } from '../../../src/monitor/cell-text.ts'
import { frameOf, type Size } from '../../../src/monitor/frame.ts'
import type { MonitorData } from '../../../src/monitor/refresher.ts'
import { firstView, panels, type View } from '../../../src/monitor/view.ts'
import { unknown } from '../../../src/observe/snapshot.ts'
import { dead, healthy, lagging, withSource } from '../observe/scene.ts'
import { alert, clock, dataOf, lookedAtMs, statisticsOf, symbolsNamed, textOf, withSymbols } from './scene.ts'

const usual: Size = { columns: 80, rows: 24 }

function screen(data: MonitorData, view: Partial<View> = {}, size = usual, now = clock): string[] {
  return frameOf(data, { ...firstView, ...view }, size, now).lines.map(textOf)
}

const nothing: MonitorData = { ...dataOf(), observation: null, statistics: null, alerts: null, samples: [] }
const empty = withSource(healthy(), 'postgres', 'kpi', { rows: 0, newestEventAtMs: null })
const many = symbolsNamed(Array.from({ length: 500 }, (_, index) => `SYM${String(index).padStart(3, '0')}`))
const hostile = '\u001b[2J\u001b]0;title\u0007价格監視 👩‍👩‍👧 é\u0301 \u202e\n\r\t end'

describe('every screen is as high and as wide as its terminal', () => {
  const datas: Record<string, MonitorData> = {
    'before the first look': nothing,
    'of a healthy pipeline': dataOf(),
    'without Kafka': dataOf(dead(healthy(), 'kafka')),
    'without PostgreSQL': dataOf(dead(healthy(), 'postgres'), {
      statistics: unknown(hostile),
      alerts: unknown('gone'),
    }),
    'of an empty database': withSymbols([], { observation: dataOf(empty).observation }),
    'of 500 symbols': withSymbols(many),
    'with hostile text': withSymbols([statisticsOf(hostile)], {
      alerts: { state: 'ok', firing: [alert(hostile, { summary: hostile.repeat(5) })] },
    }),
    'with 40 alerts': dataOf(healthy(), {
      alerts: { state: 'ok', firing: Array.from({ length: 40 }, (_, index) => alert(`Rule${index}`)) },
    }),
  }
  const sizes: Size[] = [
    [80, 24],
    [60, 15],
    [61, 16],
    [79, 21],
    [200, 60],
    [50, 12],
    [1, 1],
  ].map(([columns = 0, rows = 0]) => ({ columns, rows }))
  it.each(Object.keys(datas))('%s', (name) => {
    const data = datas[name] ?? nothing
    for (const size of sizes) {
      for (const view of [
        {},
        { isHelp: true },
        { isFiltering: true, filter: 'x' },
        ...panels.map((panel) => ({ panel })),
      ]) {
        const lines = screen(data, view, size)
        expect(lines).toHaveLength(size.rows)
        expect(new Set(lines.map(widthOf))).toEqual(new Set([size.columns]))
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
        expect(lines.join('')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/)
      }
    }
  })
})

it('shows all sections at 80×24', () => {
  const text = screen(dataOf()).join('\n')
  expect(text).toMatch(/^market-kpi ✓ OK {2}market-prices .* 14:30:00Z data 0 s old$/m)
  expect(text).toMatch(/1 Kafka ✓ ─+ ── 2 PostgreSQL ✓/)
  expect(text).toContain('1 broker, controller 1, 1.0 ms')
  expect(text).toContain('3 partitions of market-prices')
  expect(text).toContain('18.0, 1.0 ms, 5 of 100 connections')
  expect(text).toContain('150 rows, newest 1 s old')
  expect(text).toMatch(/3 Consumer ✓/)
  expect(text).toMatch(/rate +10\/s .* lag +0 /)
  expect(text).toContain('1 worker, 30 batches, no back-pressure, 3 partitions OK')
  expect(text).toMatch(/4 Symbols 2 last 24 h, by symbol ▲/)
  expect(text).toMatch(/^Symbol +Close +Change +Win +Avg +Min +Max +Volume +Age$/m)
  expect(text).toMatch(/^AAPL +187\.18 +\+1\.18 % +12 +187\.18 +180\.5 +190\.25 +123k +1 s$/m)
  expect(text).toMatch(/5 Alerts none firing ✓/)
})

it('uses a larger terminal', () => {
  const rows = (size: Size) => screen(withSymbols(many), {}, size).filter((line) => line.startsWith('SYM')).length
  expect(rows({ columns: 200, rows: 60 })).toBe(rows(usual) + 36)
})

it('says that a terminal is too small just under the limit, and how large it is', () => {
  expect(screen(dataOf(), {}, { columns: 60, rows: 15 })[0]).toMatch(/^market-kpi/)
  for (const size of [
    { columns: 59, rows: 15 },
    { columns: 60, rows: 14 },
  ]) {
    const lines = screen(dataOf(), {}, size)
    expect(lines[0]).toMatch(/^The terminal is too small\./)
    expect(lines[1]).toContain(`${size.columns}×${size.rows}`)
  }
})

it.each([
  [15_000, 'data 15 s old', '✓ OK'],
  [15_001, 'STALE: data 15 s old', '? was OK'],
  [3_600_000, 'STALE: data 60 min old', '? was OK'],
])('after %i ms without a look: %s', (afterMs, age, verdict) => {
  const [header] = screen(dataOf(), {}, usual, { ...clock, steadyMs: lookedAtMs + afterMs })
  expect(header).toContain(age)
  expect(header).toContain(verdict)
})

it('waits for three intervals before it calls slow looks stale', () => {
  const data = dataOf(healthy(), { intervalMs: 60_000 })
  const header = (afterMs: number) => screen(data, {}, usual, { ...clock, steadyMs: lookedAtMs + afterMs })[0]
  expect(header(180_000)).not.toContain('STALE')
  expect(header(180_001)).toContain('STALE')
})

it('says that it is paused', () => {
  expect(screen(dataOf(healthy(), { isPaused: true }))[0]).toContain('PAUSED data 0 s old')
})

it('names what is broken, with its sign, and never shows what is unknown as 0', () => {
  const lines = screen(dataOf(dead(healthy(), 'postgres')))
  expect(lines[0]).toContain('✗ CRITICAL')
  expect(lines[1]).toMatch(/^PostgreSQL: not seen/)
  const text = lines.join('\n')
  expect(text).toMatch(/2 PostgreSQL ✗/)
  expect(text).toMatch(/lag +unknown/)
  expect(text).toContain('workers unknown: not seen')
  expect(text).toMatch(/5 Alerts none firing, 1 found ✗/)
})

it('tells a lag and its partitions', () => {
  const text = screen(dataOf(lagging(healthy(), 5000))).join('\n')
  expect(text).toMatch(/3 Consumer !/)
  expect(text).toMatch(/lag +15,000/)
  expect(text).toContain('ConsumerLagHigh')
})

it('says that a database is empty', () => {
  const text = screen(withSymbols([], { observation: dataOf(empty).observation })).join('\n')
  expect(text).toContain('no rows yet')
  expect(text).toContain('there are no rows yet')
})

it('shows the rows of 500 symbols that are asked for, and the last ones when asked for more', () => {
  const data = withSymbols(many)
  const shown = (symbolTop: number) =>
    screen(data, { panel: 'symbols', symbolTop }).filter((line) => line.startsWith('SYM'))
  expect(shown(0)[0]).toMatch(/^SYM000/)
  expect(shown(100)[0]).toMatch(/^SYM100/)
  expect(shown(9999).at(-1)).toMatch(/^SYM499/)
  expect(shown(0)).toHaveLength(19)
})

it('filters in whatever case, and says how many are left', () => {
  const text = screen(withSymbols(many), { filter: 'sym49' }).join('\n')
  expect(text).toContain('Symbols 10 of 500 /sym49')
  expect(text).not.toContain('SYM000')
  expect(screen(withSymbols(many), { filter: 'none' }).join('\n')).toContain('no symbol holds "none"')
})

it('draws 500 symbols in a few milliseconds', () => {
  const data = withSymbols(many)
  for (let warm = 0; warm < 20; warm += 1) screen(data)
  const startMs = performance.now()
  for (let index = 0; index < 50; index += 1)
    screen(data, { symbolTop: index, sort: { key: 'volume', isDescending: true } })
  // 2 ms on an idle machine; a wheel turns at thirty steps a second.
  expect((performance.now() - startMs) / 50).toBeLessThan(33)
})
