import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig, loadUserRules } from '../../../src/config/load.ts'
import { temporaryFolder } from '../../temporary-folder.ts'

function rulesOf(yaml: string) {
  using folder = temporaryFolder()
  writeFileSync(join(folder.path, 'market-kpi.yaml'), yaml)
  loadConfig({ env: {}, directory: folder.path })
  return loadUserRules(['KpiStale'], folder.path)
}

it('reads a query and a condition, with defaults', () => {
  const yaml = `
kafka_topic: prices
alerts:
  rules:
    - name: BigMove
      kpi: { measure: close_change_percent, within: 15m, above: 3 }
    - name: FewTrades
      sql: |
        SELECT symbol, trade_count AS value FROM kpi_market_prices
        WHERE trade_count < 3
      severity: critical
      for: 5m
      labels: { team: desk }
      summary: '{symbol} has {value} trades'
`
  expect(rulesOf(yaml)).toMatchObject([
    {
      name: 'BigMove',
      kpi: { symbols: '*', measure: 'close_change_percent', within: 900_000, above: 3 },
      severity: 'warning',
      for: 0,
      labels: {},
    },
    { name: 'FewTrades', severity: 'critical', for: 300_000, labels: { team: 'desk' } },
  ])
})

it('has none without a file, or without a section', () => {
  expect(rulesOf('')).toEqual([])
  expect(rulesOf('kafka_topic: prices')).toEqual([])
  expect(rulesOf('alerts: {}')).toEqual([])
})

describe('says in one line what is wrong', () => {
  const kpi = 'kpi: { measure: volume, within: 1h, above: 1 }'
  it.each([
    ['alerts: { rules: [{ name: A }] }', "alerts.rules.'A': needs sql or kpi, and not both"],
    [`alerts: { rules: [{ name: A, sql: SELECT 1, ${kpi} }] }`, "alerts.rules.'A': needs sql or kpi, and not both"],
    [`alerts: { rules: [{ ${kpi} }] }`, 'alerts.rules.0.name: is missing'],
    [
      `alerts: { rules: [{ name: a b, ${kpi} }] }`,
      "alerts.rules.'a b'.name: must begin with A-Z and consist of A-Z, a-z and 0-9",
    ],
    [
      `alerts: { rules: [{ name: A, for: soon, ${kpi} }] }`,
      "alerts.rules.'A'.for: must be a time such as 90s, 15m or 2h",
    ],
    [
      `alerts: { rules: [{ name: A, severity: bad, ${kpi} }] }`,
      "alerts.rules.'A'.severity: must be info, warning or critical",
    ],
    [
      `alerts: { rules: [{ name: A, colour: red, ${kpi} }] }`,
      "alerts.rules.'A': there is no 'colour' here: there are name, sql, kpi, severity, for, labels, summary",
    ],
    [
      'alerts: { rules: [{ name: A, kpi: { measure: volume, within: 1h } }] }',
      "alerts.rules.'A'.kpi: needs above or below, and not both",
    ],
    [
      'alerts: { rules: [{ name: A, kpi: { measure: luck, within: 1h, above: 1 } }] }',
      "alerts.rules.'A'.kpi.measure: must be one of close_change_percent, volume, volatility_percent, trade_count, vwap_distance_percent",
    ],
    [`alerts: { rules: [{ name: KpiStale, ${kpi} }] }`, "alerts.rules: there is a rule called 'KpiStale' already"],
    [
      `alerts: { rules: [{ name: A, ${kpi} }, { name: A, ${kpi} }] }`,
      "alerts.rules: there is a rule called 'A' already",
    ],
    ['alerts: { rule: [] }', "alerts: there is no 'rule' here: did you mean 'rules'?"],
  ])('%s', (yaml, why) => {
    expect(() => rulesOf(yaml)).toThrow(`market-kpi.yaml: ${why}`)
  })
})
