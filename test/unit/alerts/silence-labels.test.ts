import { expect, it } from 'vitest'
import { isSilenced, parseMatcher } from '../../../src/alerts/silence.ts'

const failing = {
  rule: 'UserRuleFailing',
  severity: 'warning',
  stage: 'kpi',
  labels: { rule: 'SpreadTooWide' },
} as const

it.each([
  [['UserRuleFailing'], true],
  [['UserRuleFailing', 'rule=SpreadTooWide'], true],
  [['rule=Spread*'], true],
  [['UserRuleFailing', 'rule=Another'], false],
  [['KpiStale'], false],
])('an alert with a label that is called rule, silenced by %s: %s', (texts, expected) => {
  const silence = { id: '1', matchers: texts.map(parseMatcher), expiresAtMs: 2 }
  expect(isSilenced(failing, [silence], 1)).toBe(expected)
})
