// What is written wrongly is an error when it is written, not when an alert comes: one line, and exit code 2.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../../temporary-folder.ts'
import { alerts } from '../scenes/alerting.ts'
import { makePipeline } from '../scenes/pipeline.ts'
import { marketKpi } from '../scenes/processes.ts'

it.each([
  [['NoConsumr'], /^there is no alert rule 'NoConsumr': did you mean 'NoConsumer'\?\n$/],
  [['NoConsumer', 'simbol=AAPL'], /^no alert has a label 'simbol': did you mean 'symbol'\?\n$/],
  [['severity=error'], /^there is no alert severity 'error': there are info, warning, critical\n$/],
  [['a b'], /^'a b' is neither the name of a rule nor label=value\n$/],
])('a silence of %s mutes nothing, so it is refused', async (matchers, line) => {
  await using pipeline = await makePipeline()
  const { code, stdout, stderr } = await alerts(pipeline.env, 'silence', ...matchers, '--for', '1h')
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(line)
  expect((await alerts(pipeline.env, 'list')).stdout).toBe('no alerts\n')
})

it('a rule of market-kpi.yaml can be silenced before it has fired', async () => {
  await using pipeline = await makePipeline()
  using folder = temporaryFolder()
  writeFileSync(
    join(folder.path, 'market-kpi.yaml'),
    'alerts:\n  rules:\n    - name: BigMove\n      kpi: { measure: volume, within: 15m, above: 5 }\n      labels: { desk: fx }\n',
  )
  const run = marketKpi(['alerts', 'silence', 'BigMove', 'desk=fx', '--for', '1h'], pipeline.env, folder.path)
  expect(await run.exited).toMatchObject({ code: 0 })
})

it('a receiver that there is not is refused, and the nearest is named', async () => {
  const env = { ALERT_SLACK_WEBHOOK_URL: 'https://hooks.slack.example/services/x' }
  const { code, stderr } = await alerts(env, 'test', '--notifier', 'slak')
  expect({ code, stderr }).toEqual({ code: 2, stderr: "there is no receiver 'slak': did you mean 'slack'?\n" })
})

it.each([
  ['*=UTC Mon-Fri 09:00-17:00 !2024-13-45', "'!2024-13-45': '2024-13-45' is no day of the calendar, as YYYY-MM-DD"],
  ['*=UTC Mo-Fri 09:00-17:00', "'Mo-Fri': 'Mo' is no weekday, did you mean 'Mon'?"],
  ['*=Europe/Londn Mon-Fri 09:00-17:00', "'Europe/Londn' is no time zone, did you mean 'Europe/London'?"],
  ['*=UTC Mon-Fri 09:00-25:00', "'09:00-25:00' is neither days nor a session, HH:MM-HH:MM from 00:00 to 24:00"],
])('TRADING_HOURS=%s is refused, by a check with 3', async (value, why) => {
  for (const [command, code] of [
    ['list', 2],
    ['check', 3],
  ] as const) {
    const run = await alerts({ TRADING_HOURS: value }, command)
    expect(run.code).toBe(code)
    expect(run.stderr).toMatch(/^TRADING_HOURS=[^\n]*; must be PATTERN=[^\n]*\n$/)
    expect(run.stderr).toContain(`TRADING_HOURS=${value}: ${why}; must be`)
  }
})

it('a field that a rule of market-kpi.yaml cannot have is refused', async () => {
  using folder = temporaryFolder()
  writeFileSync(
    join(folder.path, 'market-kpi.yaml'),
    'alerts:\n  rules:\n    - name: BigMove\n      kpi: { mesure: volume, within: 15m, above: 5 }\n',
  )
  const run = marketKpi(['alerts', 'explain'], {}, folder.path)
  expect(await run.exited).toMatchObject({ code: 2 })
  expect(run.stderr()).toMatch(
    /^market-kpi\.yaml: alerts\.rules\.'BigMove'\.kpi(\.measure: [^\n]*|: there is no 'mesure' here: did you mean 'measure'\?)\n$/,
  )
})
