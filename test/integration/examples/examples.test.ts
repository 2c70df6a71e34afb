// Every folder of examples/, by the commands of its README, against one running `up`.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, type TestContext } from 'vitest'
import { choosePort, isFree } from '../../../src/process/ports.ts'
import { temporaryFolder } from '../../temporary-folder.ts'
import { commandsOf, exampleNames, installPythonPackages, makeWorkspace, runExample } from '../scenes/example-folder.ts'
import { until } from '../scenes/until.ts'
import { UpProcess } from '../scenes/up-process.ts'
import { PrometheusApi } from '../servers/prometheus-api.ts'
import { hasAlertmanager, type ListedAlert } from '../servers/real-alertmanager.ts'
import { needPrometheus } from '../servers/real-prometheus.ts'
import { sendForAlerts, sendHour, untilRows } from './example-prices.ts'

const folder = temporaryFolder()
const up = new UpProcess(join(folder.path, '.market-kpi'), ['--feed', 'none'], { KAFKA_TOPIC: 'example-prices' })
let whyNoPython: string | undefined

beforeAll(async () => {
  makeWorkspace(folder.path)
  ;[whyNoPython] = await Promise.all([installPythonPackages(), up.ready()])
}, 300_000)

afterAll(async () => {
  await up[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

/** CI has this and what follows, by .ci/run; elsewhere a developer may not. */
function needPython(context: TestContext): void {
  if (!process.env.CI && whyNoPython !== undefined) context.skip(`no Python packages: ${whyNoPython}`)
  expect(whyNoPython).toBeUndefined()
}

function needPsql(context: TestContext): void {
  if (process.env.CI || spawnSync('psql', ['--version'], { stdio: 'ignore' }).status === 0) return
  context.skip('psql is not installed')
}

async function run(name: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const example = runExample(folder.path, commandsOf(name))
  const { code } = await example.exited
  return { code, stdout: example.stdout(), stderr: example.stderr() }
}

/** What an example prints that has to succeed. */
async function outputOf(name: string): Promise<string> {
  const { stdout, ...end } = await run(name)
  expect(end).toEqual({ code: 0, stderr: '' })
  return stdout
}

/** A line that begins with these cells. */
function rowOf(cells: readonly string[], separator: string): RegExp {
  const cell = (text: string) => ` *${text.replace('.', '\\.')} *`
  return new RegExp(`^${separator === '│' ? '│' : ''}${cells.map(cell).join(`\\${separator}`)}`, 'm')
}

const hour = '20\\d\\d-\\d\\d-\\d\\d \\d\\d:00:00\\+00'

const examples: Record<string, (context: TestContext) => Promise<void>> = {
  'producer-typescript': async () => {
    expect(await outputOf('producer-typescript')).toBe('sent 20 prices of TSDEMO to example-prices\n')
    await untilRows(up.endpoints, { TSDEMO: 20 })
  },

  'producer-python': async (context) => {
    needPython(context)
    expect(await outputOf('producer-python')).toBe('sent 20 prices of PYDEMO to example-prices\n')
    await untilRows(up.endpoints, { PYDEMO: 20 })
  },

  'read-psql': async (context) => {
    needPsql(context)
    await sendHour(up.endpoints, 'PSQL')
    const bar = ['100.00000000', '103.00000000', '100.00000000', '101.50000000', '16.00000000']
    expect(await outputOf('read-psql')).toMatch(rowOf(['PSQL', hour, '4', '101.3750', '101.4375', ...bar], '|'))
  },

  'read-pandas': async (context) => {
    needPython(context)
    await sendHour(up.endpoints, 'PANDAS')
    const numbers = ['4', '103.00000000', '100.00000000', '16.00000000', '101.4375']
    expect(await outputOf('read-pandas')).toMatch(rowOf(['PANDAS', `${hour}:00`, ...numbers], ' '))
  },

  'read-duckdb': async (context) => {
    needPython(context)
    await sendHour(up.endpoints, 'DUCKDB')
    const bar = ['100.00000000', '103.00000000', '100.00000000', '101.50000000', '16.00000000']
    expect(await outputOf('read-duckdb')).toMatch(rowOf(['DUCKDB', hour, '4', ...bar], '│'))
    expect(existsSync(join(folder.path, 'windows.parquet'))).toBe(true)
  },

  'own-alerts': async () => {
    await sendForAlerts(up.endpoints)
    const { stdout, ...end } = await run('own-alerts')
    expect(end, stdout).toEqual({ code: 2, stderr: '' })
    // The lines of these rules end with their labels; what market-kpi checks itself ends with the name of the alert.
    const own = [...stdout.matchAll(/\[\w+\] \w+: .+\(\w+=.+\)$/gm)].map(([line]) => line)
    expect(own.sort()).toEqual([
      '[CRITICAL] BigMove: MOVER moved 10 % within 15 minutes (symbol=MOVER)',
      '[INFO] ThinTrading: THINCO: 1 trades in half an hour (symbol=THINCO)',
      '[WARNING] RejectedMessages: 3 messages were rejected as not_json within ten minutes (reason=not_json, team=feeds)',
      '[WARNING] VolumeSpike: volume of SPIKE is 25 times the average of the last day (symbol=SPIKE)',
      '[WARNING] WideRange: high and low of BTC/USD are 15 % apart (symbol=BTC/USD, desk=crypto)',
    ])
    expect(stdout).not.toContain('UserRuleFailing')
  },

  'prometheus-alertmanager': async (context) => {
    needPrometheus(context)
    if (!process.env.CI && !hasAlertmanager()) context.skip('prometheus-alertmanager is not installed')
    const ports = [await choosePort(0), await choosePort(0)] as const
    // `exec`, since a shell does not pass a signal on.
    const command = commandsOf('prometheus-alertmanager').trim()
    const options = `--prometheus-port ${ports[0]} --alertmanager-port ${ports[1]}`
    const example = runExample(folder.path, `exec ${command} ${options}`)
    try {
      await until('ready', example.stdout, (text) => /^ready/m.test(text))
      await expectScrapes(new PrometheusApi(`http://127.0.0.1:${ports[0]}`))
      const alertmanager = `http://127.0.0.1:${ports[1]}/api/v2/alerts`
      const listed = async () => (await (await fetch(alertmanager)).json()) as ListedAlert[]
      await until('Watchdog in Alertmanager', listed, (alerts) =>
        alerts.some(({ labels }) => labels.alertname === 'Watchdog'),
      )
    } finally {
      // Also after a failure: its servers would outlive it.
      example.child.kill('SIGINT')
    }
    expect(await example.exited).toEqual({ code: 0, signal: null })
    expect(await Promise.all(ports.map(isFree))).toEqual([true, true])
  },
}

/** Both that have metrics are scraped, and every rule can be evaluated. */
async function expectScrapes(prometheus: PrometheusApi): Promise<void> {
  const targets = await until(
    'both scraped',
    () => prometheus.targets(),
    (found) => found.length === 2 && found.every(({ health }) => health === 'up'),
  )
  const { alerts, workers } = up.endpoints
  expect(targets.map(({ scrapeUrl }) => new URL(scrapeUrl).origin).sort()).toEqual([alerts, ...workers].sort())
  const rules = await until(
    'all rules evaluated',
    () => prometheus.rules(),
    (found) => found.length > 10 && found.every(({ health }) => health !== 'unknown'),
  )
  expect(rules.filter(({ health }) => health !== 'ok')).toEqual([])
}

it('each example has a test', () => {
  expect(Object.keys(examples).sort()).toEqual([...exampleNames].sort())
})

it.for(exampleNames)('%s does what its README says, by the commands in it', async (name, context) => {
  await examples[name]?.(context)
})
