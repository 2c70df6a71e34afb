import { expect, it } from 'vitest'
import { checkMatcher, parseMatcher } from '../../../src/alerts/silence.ts'

const known = { rules: ['KafkaUnreachable', 'KpiStale', 'BigMove'], labels: ['symbol', 'kind'], hasAnyLabel: false }

it.each([
  'KpiStale',
  'Kpi*',
  '*',
  'BigMove',
  'severity=warning',
  'severity=crit*',
  'stage=kafka',
  'symbol=BTC*',
  'kind=feed',
])('%s can be silenced', (text) => {
  expect(() => checkMatcher(parseMatcher(text), known)).not.toThrow()
})

it.each([
  ['KpiStael', "there is no alert rule 'KpiStael': did you mean 'KpiStale'?"],
  ['Nonsense', "there is no alert rule 'Nonsense': there are KafkaUnreachable, KpiStale, BigMove"],
  ['rule=Nonsense*', "there is no alert rule 'Nonsense*': there are KafkaUnreachable, KpiStale, BigMove"],
  ['severity=error', "there is no alert severity 'error': there are info, warning, critical"],
  ['stage=postgress', "there is no alert stage 'postgress': did you mean 'postgres'?"],
  ['simbol=AAPL', "no alert has a label 'simbol': did you mean 'symbol'?"],
  ['partition=2', "no alert has a label 'partition': there are rule, severity, stage, symbol, kind"],
])('%s cannot', (text, why) => {
  expect(() => checkMatcher(parseMatcher(text), known)).toThrow(why)
})

it('a rule with SQL may have any label', () => {
  expect(() => checkMatcher(parseMatcher('venue=XNYS'), { ...known, hasAnyLabel: true })).not.toThrow()
})
