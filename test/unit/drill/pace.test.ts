import { expect, it } from 'vitest'
import { loadConfig } from '../../../src/config/load.ts'
import { thresholdsOf } from '../../../src/config/thresholds.ts'
import { paceAt, wantedSeconds } from '../../drill/pace.ts'

const thresholdsAt = (scale: number) => {
  const { DISK_WARNING_PERCENT: _, DISK_CRITICAL_PERCENT: __, ...env } = paceAt(scale).env
  return thresholdsOf(loadConfig({ env, directory: '/nowhere' }))
}

it('at scale 1 has the defaults', () => {
  expect(thresholdsAt(1)).toEqual(thresholdsOf(loadConfig({ env: {}, directory: '/nowhere' })))
  expect(paceAt(1)).toMatchObject({ intervalSeconds: 15, workerDownSeconds: 30, errorRateSeconds: 300 })
})

it.each([0.05, 0.1, 0.3, 0.5, 1, 2, 10])('at scale %d has thresholds that fit each other', (scale) => {
  const { lag, freshness, feedSilence, workerDownSeconds } = thresholdsAt(scale)
  expect(freshness.warningSeconds).toBeLessThan(freshness.criticalSeconds)
  expect(feedSilence.warningSeconds).toBeLessThan(feedSilence.criticalSeconds)
  // A worker tells of itself every five seconds.
  expect(workerDownSeconds).toBeGreaterThan(10)
  expect(lag.stalledSeconds).toBeGreaterThanOrEqual(30)
})

it('wants one interval, the patience of the rule and five seconds', () => {
  const pace = paceAt(1)
  expect(wantedSeconds(pace, 'TopicMissing', 0)).toBe(15 + 5)
  expect(wantedSeconds(pace, 'KafkaUnreachable', 0)).toBe(15 + 15 + 5)
  expect(wantedSeconds(pace, 'ConsumerLagHigh', 7)).toBe(7 + 15 + 30 + 5)
})
