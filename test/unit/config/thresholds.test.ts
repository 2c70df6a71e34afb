import { expect, it } from 'vitest'
import { loadConfig } from '../../../src/config/load.ts'
import type { SettingName } from '../../../src/config/settings.ts'
import { freshnessListProblem, parseFreshnessList } from '../../../src/config/symbol-freshness.ts'
import { fitsPattern } from '../../../src/config/symbol-pattern.ts'
import { thresholdsOf } from '../../../src/config/thresholds.ts'

const read = (flags: Partial<Record<SettingName, string>>) =>
  thresholdsOf(loadConfig({ flags, env: {}, directory: '/nowhere' }))

it('are those of the contract by default', () => {
  expect(read({})).toMatchObject({
    lag: { targetMessages: 100, warningMessages: 1000, growingSeconds: 300, backlogSeconds: 30 },
    throughput: { warningPerSecond: 500, criticalPerSecond: 100, criticalSeconds: 60 },
    freshness: { targetSeconds: 300, warningSeconds: 600, criticalSeconds: 900 },
    errorRate: { warningPercent: 1, criticalPercent: 5 },
    pool: { warningPercent: 70, criticalPercent: 90, criticalSeconds: 60 },
    disk: { warningPercent: 75, criticalPercent: 90, fullSeconds: 86_400 },
    tradingHours: [{ pattern: '*', week: 'always' }],
  })
})

it.each([
  [{ lagWarningMessages: '100' }, 'LAG_TARGET_MESSAGES=100: must be below LAG_WARNING_MESSAGES=100'],
  [
    { throughputCriticalPerSecond: '600' },
    'THROUGHPUT_CRITICAL_PER_SECOND=600: must be below THROUGHPUT_WARNING_PER_SECOND=500',
  ],
  [{ freshnessWarningSeconds: '901' }, 'FRESHNESS_WARNING_SECONDS=901: must be below FRESHNESS_CRITICAL_SECONDS=900'],
  [{ freshnessTargetSeconds: '600' }, 'FRESHNESS_TARGET_SECONDS=600: must be below FRESHNESS_WARNING_SECONDS=600'],
  [
    { feedSilenceCriticalSeconds: '10' },
    'FEED_SILENCE_WARNING_SECONDS=300: must be below FEED_SILENCE_CRITICAL_SECONDS=10',
  ],
  [{ errorRateWarningPercent: '5' }, 'ERROR_RATE_WARNING_PERCENT=5: must be below ERROR_RATE_CRITICAL_PERCENT=5'],
  [{ poolWarningPercent: '95' }, 'POOL_WARNING_PERCENT=95: must be below POOL_CRITICAL_PERCENT=90'],
  [{ diskCriticalPercent: '70' }, 'DISK_WARNING_PERCENT=75: must be below DISK_CRITICAL_PERCENT=70'],
  [{ clockSkewWarningSeconds: '300' }, 'CLOCK_SKEW_WARNING_SECONDS=300: must be below CLOCK_SKEW_CRITICAL_SECONDS=300'],
])('%j is refused', (flags, line) => {
  expect(() => read(flags)).toThrow(line)
})

it('trading hours and limits of symbols are checked where settings are read', () => {
  expect(() => read({ tradingHours: '*=Mars Mon 09:00-10:00' })).toThrow(/TRADING_HOURS=.*must be PATTERN=always/)
  expect(() => read({ freshnessBySymbol: 'A=5:4' })).toThrow(
    /FRESHNESS_BY_SYMBOL=A=5:4: '5:4': the warning must come before the critical limit; must be PATTERN=/,
  )
})

it('limits of symbols', () => {
  expect(parseFreshnessList('BTC/*=30:120, EURUSD=X=off,*=default')).toEqual([
    { pattern: 'BTC/*', limits: { warningSeconds: 30, criticalSeconds: 120 } },
    { pattern: 'EURUSD=X', limits: 'off' },
    { pattern: '*', limits: 'default' },
  ])
  for (const text of ['', 'A', 'A=', 'A=1', 'A=0:5', 'A=5:5', 'A=x:y', 'A=1:2,']) {
    expect(freshnessListProblem(text)).toBeTypeOf('string')
  }
})

it.each([
  ['*', 'ANY', true],
  ['AAPL', 'AAPL', true],
  ['AAPL', 'AAPLX', false],
  ['BTC/*', 'BTC/USDT', true],
  ['BTC/*', 'XBTC/USDT', false],
  ['*.L', 'VOD.L', true],
  ['*.L', 'VOD.LX', false],
  ['A*B*C', 'AxxByyC', true],
  ['A*B*C', 'AxxC', false],
  ['A*A', 'A', false],
  ['A*', 'A', true],
  ['.', 'x', false],
])('the pattern %s on %s: %s', (pattern, symbol, fits) => {
  expect(fitsPattern(pattern, symbol)).toBe(fits)
})
