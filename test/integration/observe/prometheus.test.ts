// A real Prometheus scrapes an evaluator and a worker, with the exported rules: every query of the dashboard of operations
// finds something, and what breaks fires and ends there too.
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { parse } from 'yaml'
import { type Dashboard, dashboardsOf, exportedFiles, panelsOf } from '../../unit/export/dashboards.ts'
import { anyDiskEnv, sendNow } from '../scenes/observing.ts'
import { makePipeline, type Pipeline } from '../scenes/pipeline.ts'
import { marketKpi, type Run } from '../scenes/processes.ts'
import { until } from '../scenes/until.ts'
import { untilCounted } from '../scenes/worker.ts'
import { hasAlertmanager, RealAlertmanager } from '../servers/real-alertmanager.ts'
import { needPrometheus, RealPrometheus } from '../servers/real-prometheus.ts'

let pipeline: Pipeline
let prometheus: RealPrometheus | undefined
let alertmanager: RealAlertmanager | undefined
const running: Run[] = []

const [operations] = dashboardsOf(exportedFiles()) as [Dashboard, Dashboard]

beforeAll(async () => {
  pipeline = await makePipeline()
})

afterAll(async () => {
  for (const { child } of running) child.kill('SIGKILL')
  await Promise.all([...running.map(({ exited }) => exited), prometheus?.stop(), alertmanager?.stop()])
  await pipeline?.[Symbol.asyncDispose]()
})

beforeEach((context) => {
  needPrometheus(context)
  if (!process.env.CI && !hasAlertmanager()) context.skip('prometheus-alertmanager is not installed')
})

function run(...args: string[]): Run {
  // A death is noticed sooner than in life, so that this takes seconds.
  const started = marketKpi(args, { ...pipeline.env, ...anyDiskEnv, WORKER_DOWN_SECONDS: '8' })
  running.push(started)
  return started
}

/** The address that a long-running command tells once it runs. */
async function addressOf({ stderr }: Run): Promise<string> {
  const said = await until('an address', stderr, (text) => /http:\/\/127\.0\.0\.1:\d+/.test(text))
  return /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0] ?? ''
}

async function exported(...args: string[]): Promise<string> {
  const command = run('export', ...args)
  expect((await command.exited).code).toBe(0)
  return command.stdout()
}

/** What Grafana makes of its variables. */
function expanded(expr: string): string {
  const text = expr.replaceAll('$job', 'market-kpi').replaceAll('$__rate_interval', '10s')
  expect(text).not.toContain('$')
  return text
}

let worker: Run

it('each target can be scraped, and each rule evaluated', async () => {
  // A pool of one connection has no share in use.
  worker = run('consume', '--http-port', '0', '--max-pool-connections', '2')
  const evaluator = run('alerts', 'watch', '--interval', '1s', '--http-port', '0')
  const targets = await Promise.all([addressOf(worker), addressOf(evaluator)])
  // Twice, so that rows are updated, too.
  await sendNow(pipeline, 200, 1)
  await untilCounted(pipeline, 200)
  await sendNow(pipeline, 200)
  await untilCounted(pipeline, 400)
  alertmanager = new RealAlertmanager()
  // Nobody listens there: what it passes on is not what this is about.
  await alertmanager.start('http://127.0.0.1:9/', parse(await exported('prometheus-rules', '--inhibit')))
  prometheus = new RealPrometheus()
  const rulesText = await exported('prometheus-rules', '--interval', '1s')
  await prometheus.start({ targets, rules: rulesText, alertmanager: alertmanager.url })
  const { scrapeErrors, rules } = { scrapeErrors: () => prometheus?.scrapeErrors(), rules: () => prometheus?.rules() }
  await until('both scraped', scrapeErrors, (errors) => errors?.length === 2 && errors.every((error) => error === ''))
  const all = await until(
    'all rules evaluated',
    rules,
    (found) => found?.every(({ health }) => health !== 'unknown') ?? false,
  )
  expect(all?.filter(({ health }) => health !== 'ok')).toEqual([])
  expect(all?.filter(({ state }) => state === 'firing').map(({ name }) => name)).toEqual(['Watchdog'])
})

/** Shows the messages behind an open transaction, and there is none. */
const emptyWhenWell = ['Lag by partition B']
const queries = panelsOf(operations).flatMap(({ title, targets }) =>
  targets.map(({ refId, expr = '' }) => [`${title} ${refId}`, expr] as const),
)

it.each(queries.filter(([name]) => !emptyWhenWell.includes(name)))('finds something for %s', async (_, expr) => {
  const found = await until(
    expr,
    () => prometheus?.query(expanded(expr)),
    (series) => (series?.length ?? 0) > 0,
    30_000,
  )
  expect(found?.filter(({ value }) => !Number.isFinite(Number(value[1])))).toEqual([])
})

it.each(queries.filter(([name]) => emptyWhenWell.includes(name)))('finds nothing for %s', async (_, expr) => {
  expect(await prometheus?.query(expanded(expr))).toEqual([])
})

it('the list of pipelines is of what is scraped', async () => {
  expect(operations.templating.list.map(({ query }) => query)).toEqual([
    { query: 'label_values(market_kpi_up, job)', refId: 'job' },
  ])
  expect((await prometheus?.query('group by (job) (market_kpi_up)'))?.map(({ metric }) => metric.job)).toEqual([
    'market-kpi',
  ])
})

it('a worker that dies fires in Prometheus, reaches Alertmanager without what follows from it, and ends', async () => {
  const [annotation] = operations.annotations.list
  const marked = async () => {
    const firing = await prometheus?.query(expanded(annotation?.expr ?? ''))
    return firing?.map(({ metric }) => `${metric.severity} ${metric.alertname}`) ?? []
  }
  const listed = async () => {
    const alerts = (await alertmanager?.alerts()) ?? []
    return alerts.map(({ labels, status }) => `${status.state} ${labels.severity} ${labels.alertname}`)
  }
  worker.child.kill('SIGKILL')
  await worker.exited
  const wanted = ['active critical NoConsumer', 'suppressed critical WorkerDown']
  await until('Alertmanager knows', listed, (alerts) => wanted.every((alert) => alerts.includes(alert)))
  expect(await marked()).toContain('critical NoConsumer')
  expect((await listed()).filter((alert) => alert.startsWith('active') && !alert.endsWith(' Watchdog'))).toEqual([
    wanted[0],
  ])
  const next = run('consume', '--http-port', '0')
  await addressOf(next)
  await until('nothing is marked any more', marked, (firing) => firing.length === 0)
  await until('Alertmanager was told', listed, (alerts) => alerts.every((alert) => alert.endsWith(' Watchdog')))
})
