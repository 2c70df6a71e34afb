import { expect, it } from 'vitest'
import type { Finding } from '../../drill/drill.ts'
import { type DrillReport, isGood, markdownOf } from '../../drill/drill-report.ts'

const finding: Finding = {
  name: 'broker-killed',
  title: 'broker killed',
  rule: 'KafkaUnreachable',
  stage: 'kafka',
  wantedSeconds: 13,
  severity: 'critical',
  detectedSeconds: 7.94,
  resolvedSeconds: 5.5,
  firings: 1,
  resolutions: 1,
  wrong: [],
  misses: [],
}
const missed: Finding = {
  ...finding,
  title: 'feed stopped',
  severity: null,
  detectedSeconds: null,
  resolvedSeconds: null,
  firings: 0,
  resolutions: 0,
  wrong: ['critical NoConsumer'],
  misses: ['it was not told', 'also told: critical NoConsumer'],
}
const report: DrillReport = {
  scale: 0.1,
  intervalSeconds: 4,
  findings: [finding],
  healthyMinutes: 3,
  healthyMisses: [],
}

it('is a table with a row for each fault', () => {
  expect(markdownOf(report)).toBe(`Scale 0.1, a look every 4 s.

| fault | alert | stage | notified after | required | others | RESOLVED after | FIRING/RESOLVED |
| --- | --- | --- | --- | --- | --- | --- | --- |
| broker killed | CRITICAL KafkaUnreachable | kafka | 7.9 s | ≤ 13.0 s | 0 | 5.5 s | 1/1 |

Healthy, with a feed in bursts, for 3 minutes: 0 alerts.
`)
  expect(isGood(report)).toBe(true)
})

it('names what was missed', () => {
  const text = markdownOf({ ...report, findings: [missed], healthyMinutes: null })
  expect(text).toContain('| **feed stopped: MISSED** |')
  expect(text).toContain('| never | ≤ 13.0 s | critical NoConsumer | never | 0/0 |')
  expect(text).toContain('- feed stopped: it was not told\n')
  expect(text).not.toContain('Healthy')
  expect(isGood({ ...report, findings: [finding, missed] })).toBe(false)
})

it('is not good when a healthy pipeline was called sick', () => {
  const told = { ...report, healthyMisses: ['warning FeedSilent: nothing new'] }
  expect(isGood(told)).toBe(false)
  expect(markdownOf(told)).toContain('for 3 minutes: MISSED.')
  expect(markdownOf(told)).toContain('- healthy: warning FeedSilent: nothing new\n')
})
