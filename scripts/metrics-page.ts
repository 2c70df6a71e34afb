import { alertCounters, alertGauges } from '../src/metrics/alert-metrics.ts'
import { feedCounters, feedGauges, feedInfo } from '../src/metrics/feed-metrics.ts'
import { type MetricMeaning, pipelineMetrics } from '../src/metrics/pipeline-metrics.ts'
import { pruneCounters, pruneGauges } from '../src/metrics/prune-metrics.ts'
import { workerCounters, workerGauges } from '../src/metrics/worker-metrics.ts'

const before = `<!-- Made from src/metrics/ by \`npm run docs\`. Do not edit by hand. -->
# Metrics

Every worker (\`--http-port\`, 9464 or the next free one), alert evaluator (9494), feed (9484) and \`prune --every\` (9489) answers on
this machine only: \`/metrics\` in Prometheus' text format, \`/livez\` (200 as long as its event loop turns), \`/readyz\` (503 with the
reasons while its own work stands still; a rebalance is none) and \`/health\` (the whole pipeline as JSON; of a feed without a
database, its brokers). Besides the metrics below there are those of the process, \`process_*\` and
\`nodejs_*\`. [Prometheus and Grafana](prometheus.md) tells how to scrape them, and brings rules and dashboards.

What is not known has no series: neither 0 nor NaN. \`market_kpi_up\` and \`market_kpi_rule_unknown\` are always there and say so.

`

interface Row {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly labels?: readonly string[]
}

/** The whole of docs/metrics.md. */
export function metricsPage(): string {
  const pipeline = Object.entries<MetricMeaning>(pipelineMetrics).map(([name, meaning]) => ({ name, ...meaning }))
  return [
    before + section('The pipeline, from an alert evaluator', pipeline),
    section('An alert evaluator itself', [...rows(alertCounters, 'counter'), ...rows(alertGauges, 'gauge')]),
    section('A worker', [...rows(workerCounters, 'counter'), ...rows(workerGauges, 'gauge')]),
    section('A feed', [
      ...rows(feedCounters, 'counter'),
      ...rows(feedGauges, 'gauge'),
      { ...feedInfo, type: 'gauge', labels: feedInfo.labelNames },
    ]),
    section('A `prune --every`', [...rows(pruneCounters, 'counter'), ...rows(pruneGauges, 'gauge')]),
  ].join('\n')
}

function rows(metrics: Readonly<Record<string, readonly [help: string, of: unknown]>>, type: string): Row[] {
  return Object.entries(metrics).map(([name, [help]]) => ({ name, type, help }))
}

function section(title: string, metrics: readonly Row[]): string {
  const lines = metrics.map(({ name, type, help, labels = [] }) => {
    const shown = labels.length > 0 ? `{${labels.join(', ')}}` : ''
    return `| \`${name}${shown}\` | ${type} | ${help} |`
  })
  return `## ${title}\n\n${['| Name | Type | Meaning |', '| --- | --- | --- |', ...lines].join('\n')}\n`
}
