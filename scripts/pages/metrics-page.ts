import { alertCounters, alertGauges } from '../../src/metrics/alert-metrics.ts'
import { feedCounters, feedGauges, feedInfo } from '../../src/metrics/feed-metrics.ts'
import { type MetricMeaning, pipelineMetrics } from '../../src/metrics/pipeline-metrics.ts'
import { pruneCounters, pruneGauges } from '../../src/metrics/prune-metrics.ts'
import { workerCounters, workerGauges } from '../../src/metrics/worker-metrics.ts'

const before = `<!-- Made from src/metrics/ by \`npm run docs\`. Do not edit by hand. -->
# Metrics

Every worker (\`--http-port\`, 9464 or the next free port), alert evaluator (9494), feed (9484) and \`prune --every\` (9489) has an HTTP server
on this machine:

- \`/metrics\` in Prometheus' text format;
- \`/livez\`: 200 as long as the process responds;
- \`/readyz\`: 503 with the reasons while the process cannot do its work (a rebalance is not a reason);
- \`/health\`: the state of the whole pipeline as JSON, or for a feed without a database that of its brokers.

The processes also export \`process_*\` and \`nodejs_*\` metrics. [Prometheus and Grafana](prometheus.md) explains how to scrape them, and has
rules and dashboards. A value that is not known has no series, neither 0 nor NaN; \`market_kpi_up\` and \`market_kpi_rule_unknown\` always
exist and say what is unknown.

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
    section('`prune --every`', [...rows(pruneCounters, 'counter'), ...rows(pruneGauges, 'gauge')]),
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
