import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PlainMessage } from '../../../src/verify/plain-decoder.ts'
import { PlainWindows, windowKey } from '../../../src/verify/plain-windows.ts'
import { expectedColumns, expectedText, integerRoot, isAsExpected } from '../../../src/verify/row-columns.ts'
import { propertyRuns } from '../kpi/property-runs.ts'

const startUs = 1_771_079_400_000_000

function message(close: bigint, volume: bigint, secondsIn: number): PlainMessage {
  return { symbol: 'A', timestampUs: startUs + secondsIn * 1e6, open: close, high: close, low: close, close, volume }
}

function columnsOf(messages: readonly PlainMessage[], decimals = 8) {
  const windows = new PlainWindows({ windowSeconds: 300, range: {}, maxWindows: 10 })
  for (const [offset, m] of messages.entries()) windows.add(m, { partition: 2, offset }, false)
  const window = windows.windows.get(windowKey('A', startUs))
  if (!window) throw new Error('no window')
  return expectedColumns(window, startUs, { windowSeconds: 300, decimals })
}

const price = 100_000_000n

describe('the columns of a window', () => {
  const columns = columnsOf([
    message(3n * price, 2n * price, 20),
    message(1n * price, 1n * price, 10),
    message(2n * price, 0n, 30),
  ])
  it.each([
    ['trade_count', '3'],
    ['avg_close', '2'],
    ['min_close', '1.00000000'],
    ['max_close', '3'],
    ['price_volatility', '2'],
    ['total_volume', '3'],
    ['vwap', '2.3333333333333333'],
    ['open_price', '1'],
    ['close_price', '2'],
    ['close_stddev', '0.81649658092772603273'],
    ['first_event_at', String(startUs + 10e6)],
    ['last_event_at', String(startUs + 30e6)],
    ['window_end', String(startUs + 300e6)],
    ['first_offset', '1'],
    ['last_offset', '2'],
    ['last_partition', '2'],
    ['sum_close_sq', '14.0000000000000000'],
    ['sum_close_volume', '7'],
    ['late_count', '0'],
  ] as const)('%s is %s', (column, text) => {
    expect(isAsExpected(text, columns[column])).toBe(true)
    // The first digit always counts; the last of a quotient's may not.
    expect(
      isAsExpected(
        text.replace(/^\d/, (digit) => `${(Number(digit) + 1) % 10}`),
        columns[column],
      ),
    ).toBe(false)
    expect(isAsExpected(null, columns[column])).toBe(false)
    expect(isAsExpected('NaN', columns[column])).toBe(false)
  })

  it('with more decimals the same digits mean less', () => {
    const { min_close, sum_close_volume, avg_close, vwap, close_stddev } = columnsOf(
      [message(123_789n, 2n, 20), message(123_790n, 1n, 10)],
      12,
    )
    expect(isAsExpected('0.000000123789', min_close)).toBe(true)
    expect(isAsExpected('0.000000000000000000371368', sum_close_volume)).toBe(true)
    expect(isAsExpected('0.0000001237895', avg_close)).toBe(true)
    expect(isAsExpected('0.000000123789333333333333', vwap)).toBe(true)
    expect(isAsExpected('0.0000000000005', close_stddev)).toBe(true)
    expect(isAsExpected('0.0000001237894', avg_close)).toBe(false)
  })

  it('of the smallest vwap with the most decimals twelve digits are compared', () => {
    const most = 10n ** 33n - 1n
    const { vwap } = columnsOf([message(1n, 3n, 0), message(0n, most, 1)], 18)
    // 3e-36 / (10^15 + 2e-18)
    expect(isAsExpected(`0.${'0'.repeat(50)}3000000000000000`, vwap)).toBe(true)
    expect(isAsExpected(`0.${'0'.repeat(50)}3000000000100000`, vwap)).toBe(false)
  })

  it('vwap is null without volume, and nothing else', () => {
    const { vwap } = columnsOf([message(price, 0n, 0)])
    expect(isAsExpected(null, vwap)).toBe(true)
    expect(isAsExpected('0', vwap)).toBe(false)
  })

  it('late_count may be anything between its bounds', () => {
    const late = { value: 2n, scale: 0, upTo: 4n }
    expect(['1', '2', '4', '5'].map((text) => isAsExpected(text, late))).toEqual([false, true, true, false])
    expect(expectedText('late_count', late)).toBe('2 to 4')
  })
})

it('twelve digits of a rounded value are compared', () => {
  const third = { value: 3_333_333_333_333_333_333n, scale: 19, isRounded: true } as const
  expect(isAsExpected('0.333333333333', third)).toBe(true)
  expect(isAsExpected('0.33333333333', third)).toBe(false)
  expect(isAsExpected('0.333333333334', third)).toBe(false)
})

it('values are shown as people write them', () => {
  expect(expectedText('avg_close', { value: -1_050n, scale: 3 })).toBe('-1.05')
  expect(expectedText('avg_close', { value: 5n, scale: 8 })).toBe('0.00000005')
  expect(expectedText('window_end', { value: BigInt(startUs + 250_000), scale: 0 })).toBe('2026-02-14T14:30:00.25Z')
  expect(expectedText('sum_close_sq', { value: 9n, scale: 36 })).toBe(`0.${'0'.repeat(35)}9`)
  const third = { value: 10n ** 84n / 3n, scale: 84, isRounded: true } as const
  expect(expectedText('vwap', third)).toBe(`0.${'3'.repeat(20)}`)
  const tiny = { value: 10n ** 64n / 3n, scale: 84, isRounded: true } as const
  expect(expectedText('vwap', tiny)).toBe(`0.${'0'.repeat(20)}${'3'.repeat(20)}`)
  expect(expectedText('vwap', null)).toBe(null)
})

it('the integer root is the largest whose square is not above', () => {
  const property = fc.property(fc.bigInt({ min: 0n, max: 2n ** 400n }), (value) => {
    const root = integerRoot(value)
    expect(root * root <= value && (root + 1n) ** 2n > value).toBe(true)
  })
  fc.assert(property, propertyRuns)
})
