import { expect, it } from 'vitest'
import { PrecisionWatch } from '../../../src/consumer/precision-watch.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { RecordingLog } from '../../recording-log.ts'

const pepe = { symbol: 'PEPE/USDT', messages: 2, field: 'close', text: '0.000000123789', decimals: 12 }
const hourMs = 3_600_000

function watched() {
  const log = new RecordingLog()
  let nowMs = 0
  const clock = { ...systemClock, now: () => nowMs }
  const watch = new PrecisionWatch({ log, clock, decimals: 8 })
  const committed = (...symbols: (typeof pepe)[]) =>
    watch.committed({ symbols, messages: symbols.reduce((sum, { messages }) => sum + messages, 0) })
  const pass = (ms: number) => {
    nowMs += ms
  }
  return { log, watch, committed, pass }
}

it('counts messages, and logs a symbol once with the setting that keeps its numbers', () => {
  const { log, watch, committed } = watched()
  committed()
  expect([watch.messages, watch.recent, log.lines]).toEqual([0, [], []])
  committed(pepe)
  committed({ ...pepe, messages: 1, field: 'volume', text: '1e-18', decimals: 18 })
  expect(watch.messages).toBe(3)
  expect(watch.recent).toEqual([{ ...pepe, messages: 3, field: 'volume', text: '1e-18', decimals: 18 }])
  expect(log.lines).toEqual([
    'warn: close 0.000000123789 of PEPE/USDT is rounded to 8 fractional digits, which changes it by more than one ' +
      "ten-thousandth: DECIMALS=12 keeps it ('market-kpi rebuild --all' changes DECIMALS of a database)",
  ])
})

it('forgets a symbol an hour after its last number that lost precision, and then logs it again', () => {
  const { log, watch, committed, pass } = watched()
  committed(pepe)
  pass(hourMs)
  committed(pepe)
  pass(hourMs)
  expect(watch.recent).toMatchObject([{ messages: 4 }])
  pass(1)
  expect([watch.recent, watch.messages]).toEqual([[], 4])
  committed(pepe)
  expect(log.lines).toHaveLength(2)
})

it('names twenty symbols, and says once that there are more', () => {
  const { log, watch, committed } = watched()
  for (let i = 0; i < 50; i++) committed({ ...pepe, symbol: `S${i}`, messages: i + 1 })
  expect(watch.recent.map(({ messages }) => messages)).toEqual(Array.from({ length: 20 }, (_, i) => 50 - i))
  expect(log.lines).toHaveLength(21)
  expect(log.lines.at(-1)).toBe("warn: numbers of more than 20 symbols lose precision: see 'market-kpi alerts check'")
})
