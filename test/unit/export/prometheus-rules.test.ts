// Both evaluators, ours and Prometheus with the exported rules, see the same recorded snapshotIndices and fire the same alerts.
import { beforeEach, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { timingsAt } from '../../../src/alerts/alert-rules.ts'
import type { SettingName } from '../../../src/config/settings.ts'
import { inhibitRules } from '../../../src/export/prometheus/inhibit-rules.ts'
import { alertingRules, rulesFile } from '../../../src/export/prometheus/rules-file.ts'
import { ruleNames } from '../../../src/observe/finding.ts'
import type { Observation } from '../../../src/observe/observer.ts'
import { healthy, nowMs, thresholds, withSource } from '../observe/scene.ts'
import { needPromtool, promtool, type Verdict } from './promtool.ts'
import { firingOf, inputSeries, intervalMs, observationsOf } from './recorded-series.ts'
import { type Scenario, scenarios } from './scenarios.ts'

type Settings = Partial<Record<SettingName, string>>

function rules(settings: Settings = {}): string {
  return rulesFile({
    thresholds: thresholds(settings),
    intervalSeconds: intervalMs / 1000,
    timingOf: timingsAt(intervalMs, new Map()),
    guidance: (rule) => ({ runbook_url: `https://docs.example/${rule}.md` }),
  })
}

/** An alert as one line, without what only one of the evaluators can name. */
function line(severity: string, rule: string, labels: Readonly<Record<string, string>>): string {
  const told = Object.entries(labels).filter(([name]) => name !== 'worker')
  return [severity, rule, ...told.map(([name, value]) => `${name}=${value}`).sort()].join(' ')
}

/** Of one rule and labels the worst: a warning goes on while it is critical, and Alertmanager mutes it. */
const worst =
  'ALERTS{alertstate="firing",severity="critical"} or ignoring (severity) ALERTS{alertstate="firing",severity="warning"}'

/** What Prometheus has firing at some snapshotIndices must be these lines. */
function promtoolAgrees(
  observations: readonly Observation[],
  settings: Settings,
  told: Map<number, string[]>,
  evaluators?: string[],
): Verdict {
  const tests = [
    {
      interval: `${intervalMs / 1000}s`,
      input_series: inputSeries(observations, thresholds(settings), evaluators),
      promql_expr_test: [...told].map(([look, lines]) => ({
        expr: worst,
        eval_time: `${(look * intervalMs) / 1000}s`,
        exp_samples: [...new Set(lines)].map((text) => ({ labels: alertLabels(text), value: 1 })),
      })),
    },
  ]
  const files = {
    'rules.yml': rules(settings),
    'test.yml': stringify({ rule_files: ['rules.yml'], evaluation_interval: `${intervalMs / 1000}s`, tests }),
  }
  return promtool(['test', 'rules', 'test.yml'], files)
}

function alertLabels(text: string): string {
  const [severity = '', rule = '', ...rest] = text.split(' ')
  const labels = { job: 'market-kpi', alertname: rule, severity, alertstate: 'firing' }
  const own = rest.map((pair) => pair.split(/=(.*)/s) as [string, string])
  const all = [...Object.entries(labels), ...own].map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  return `ALERTS{${all.join(',')}}`
}

/** What of these lines Alertmanager passes on, by the exported inhibit_rules. */
function passedOn(lines: readonly string[]): string[] {
  const alerts = lines.map((text) => ({ text, labels: labelsOf(text) }))
  const isMuted = (target: Labels) =>
    inhibitRules().some(
      (rule) =>
        fits(rule.target_matchers, target) &&
        alerts.some(
          ({ labels }) =>
            labels !== target &&
            fits(rule.source_matchers, labels) &&
            rule.equal.every((name) => (labels[name] ?? '') === (target[name] ?? '')),
        ),
    )
  return alerts.filter(({ labels }) => !isMuted(labels)).map(({ text }) => text)
}

type Labels = Readonly<Record<string, string>>

function labelsOf(text: string): Labels {
  const [severity = '', alertname = '', ...rest] = text.split(' ')
  return { severity, alertname, ...Object.fromEntries(rest.map((pair) => pair.split(/=(.*)/s))) }
}

function fits(matchers: readonly string[], labels: Labels): boolean {
  return matchers.every((matcher) => {
    const [, name = '', operator = '', value = ''] = /^(\w+)(=~|!=|=)"(.*)"$/.exec(matcher) ?? []
    const label = labels[name] ?? ''
    if (operator === '=~') return new RegExp(`^(?:${value})$`).test(label)
    return operator === '=' ? label === value : label !== value
  })
}

/** What our evaluator has firing at a look, symptoms included, since Prometheus knows no inhibition. */
function oursAt(observations: readonly Observation[], look: number): string[] {
  const all = observations.map(({ snapshot, assessment }) => ({
    snapshot,
    assessment: { ...assessment, findings: assessment.findings.map((f) => ({ ...f, inhibitedBy: null })) },
  }))
  const firing = firingOf(all)[look] ?? []
  return firing.filter(({ severity }) => severity !== 'info').map((e) => line(e.severity, e.rule, e.labels))
}

describe('the rules', () => {
  beforeEach(needPromtool)

  it('are valid, each with severity, summary and page', () => {
    const text = rules()
    const checked = promtool(['check', 'rules', 'rules.yml'], { 'rules.yml': text })
    expect(checked.said).toMatch(/SUCCESS: \d+ rules found/)
    expect(checked.ok).toBe(true)
    expect(text.match(/runbook_url: https:/g)?.length).toBe(text.match(/- alert:/g)?.length)
  })

  it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))('agree: %s', (_, scenario) => {
    const { told, observations, settings } = played(scenario)
    expect(told.get(scenario.broken)).toEqual(expect.arrayContaining([...scenario.alerts]))
    const verdict = promtoolAgrees(observations, settings, told)
    expect(verdict).toEqual({ ok: true, said: expect.stringContaining('SUCCESS') })
  })
})

function played({ snapshots, settings = {}, broken, well }: Scenario) {
  const observations = observationsOf(snapshots, thresholds(settings))
  const snapshotIndices = [...(well === undefined ? [] : [well]), broken, snapshots.length - 1]
  const told = new Map(snapshotIndices.map((look) => [look, oursAt(observations, look)]))
  return { observations, settings, told }
}

it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
  'Alertmanager passes on what we would tell: %s',
  (_, scenario) => {
    const { told, observations } = played(scenario)
    const ours = firingOf(observations)[scenario.broken] ?? []
    const causes = ours.filter(({ inhibitedBy, severity }) => inhibitedBy === null && severity !== 'info')
    const passed = passedOn(told.get(scenario.broken) ?? [])
    expect(new Set(passed)).toEqual(new Set(causes.map((e) => line(e.severity, e.rule, e.labels))))
  },
)

describe('over time', () => {
  beforeEach(needPromtool)

  it.each(['the lag is high', 'a partition does not advance', 'one symbol is old', 'a disk is full'])(
    'two evaluators of one pipeline make no alert twice: %s',
    (name) => {
      const scenario = scenarios.find((one) => one.name === name)
      expect(scenario?.alerts.length).toBe(1)
      if (!scenario) return
      const { told, observations, settings } = played(scenario)
      const verdict = promtoolAgrees(observations, settings, told, ['one:9494', 'other:9494'])
      expect(verdict).toEqual({ ok: true, said: expect.stringContaining('SUCCESS') })
    },
  )

  it('an alert fires and ends at the same look in both', () => {
    const snapshotIndices = Array.from({ length: 24 }, (_, index) => {
      const snapshot = healthy(nowMs + index * intervalMs)
      return index >= 4 && index < 10 ? withSource(snapshot, 'kafka', 'group', { members: [] }) : snapshot
    })
    const observations = observationsOf(snapshotIndices, thresholds())
    const told = new Map(snapshotIndices.map((_, look) => [look, oursAt(observations, look)]))
    const firing = [...told].filter(([, lines]) => lines.includes('critical NoConsumer')).map(([look]) => look)
    expect(firing.length).toBeGreaterThan(5)
    expect(firing.length).toBeLessThan(snapshotIndices.length - 5)
    expect(promtoolAgrees(observations, {}, told).said).toContain('SUCCESS')
  })

  it('an evaluator that stops, or is not there at all, is told by Prometheus alone', () => {
    const silent = (values: string, seconds: number, job: string) => ({
      interval: '15s',
      input_series: [{ series: 'market_kpi_observation_timestamp_seconds{job="market-kpi"}', values }],
      alert_rule_test: [
        {
          alertname: 'EvaluatorSilent',
          eval_time: `${seconds}s`,
          exp_alerts:
            job === 'none'
              ? []
              : [{ exp_labels: { severity: 'critical', ...(job ? { job } : {}) }, exp_annotations: page }],
        },
      ],
    })
    const page = {
      summary: 'no evaluator observes the pipeline, so no other rule here can fire',
      runbook_url: 'https://docs.example/Watchdog.md',
    }
    const tests = [
      silent('0+15x20', 300, 'none'),
      silent('0+15x4 60x20', 120, 'none'),
      silent('0+15x4 60x20', 135, 'market-kpi'),
      silent('0 stale', 30, 'none'),
      silent('0 stale', 45, ''),
    ]
    const file = stringify({ rule_files: ['rules.yml'], evaluation_interval: '15s', tests })
    const verdict = promtool(['test', 'rules', 'test.yml'], { 'rules.yml': rules(), 'test.yml': file })
    expect(verdict).toEqual({ ok: true, said: expect.stringContaining('SUCCESS') })
  })

  it('a disk that is filling up is told before it is full, in both', () => {
    const hours = 7
    const snapshotIndices = Array.from({ length: hours * 12 }, (_, index) => {
      const usableBytes = 1e12 * (0.4 - index * 0.0015)
      const volumes = [{ nodeId: 1, directory: '/data', topicBytes: 1, totalBytes: 1e12, usableBytes }]
      return withSource(healthy(nowMs + index * 300_000), 'kafka', 'disk', { volumes })
    })
    const observations = observationsOf(snapshotIndices, thresholds())
    const isFound = (look: number) =>
      observations[look]?.assessment.findings.some(({ rule }) => rule === 'KafkaDiskHigh') ?? false
    // Growth over less than six hours says nothing yet.
    for (const [look, expected] of [
      [71, false],
      [72, true],
      [83, true],
    ] as const) {
      expect([look, isFound(look), isFiring('KafkaDiskHigh', observations, look)]).toEqual([look, expected, expected])
    }
  })
})

/** Whether Prometheus, evaluating every five minutes, has a rule of any severity firing at a look. */
function isFiring(rule: string, observations: readonly Observation[], look: number): boolean {
  const expr = `count(ALERTS{alertname="${rule}",alertstate="firing"}) > 0`
  const test = {
    interval: '300s',
    input_series: inputSeries(observations, thresholds()),
    promql_expr_test: [{ expr, eval_time: `${look * 300}s`, exp_samples: [{ labels: '{}', value: 1 }] }],
  }
  const file = stringify({ rule_files: ['rules.yml'], evaluation_interval: '300s', tests: [test] })
  const text = rules().replace(/interval: .*/, 'interval: 300s')
  return promtool(['test', 'rules', 'test.yml'], { 'rules.yml': text, 'test.yml': file }).ok
}

it('there is a rule for each of ours, in each of its severities that wakes somebody', () => {
  const source = { thresholds: thresholds(), intervalSeconds: 15 }
  const exported = new Set(alertingRules(source).map(({ alert }) => alert))
  expect(ruleNames.filter((name) => !exported.has(name))).toEqual([])
})

it('each severity of each rule fires in one of the recorded series', () => {
  const source = { thresholds: thresholds({ freshnessBySymbol: 'AAPL=60:120' }), intervalSeconds: 15 }
  const wanted = alertingRules(source).filter(({ alert }) => ruleNames.includes(alert as never))
  const fired = scenarios.flatMap(({ alerts }) => alerts.map((text) => text.split(' ').slice(0, 2).join(' ')))
  const never = wanted.map(({ alert, severity }) => `${severity} ${alert}`).filter((name) => !fired.includes(name))
  expect([...new Set(never)]).toEqual([])
})
