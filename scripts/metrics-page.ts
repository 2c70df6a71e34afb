import { alertCounters, alertGauges } from '../src/metrics/alert-metrics.ts'
import { workerCounters, workerGauges } from '../src/metrics/worker-metrics.ts'

const before = `<!-- Made from src/metrics/ by \`npm run docs\`. Do not edit by hand. -->
# Metrics

Every worker (\`--http-port\`, 9464 or the next free one) and every alert evaluator (9494) answers on this machine only: \`/metrics\` in Prometheus' text format,
\`/livez\` (200 as long as its event loop turns), \`/readyz\` (503 with the reasons while its work stands still; a rebalance is
none) and \`/health\` (the same as JSON). Besides the metrics below there are those of the process, \`process_*\` and
\`nodejs_*\`.

`

/** The whole of docs/metrics.md. */
export function metricsPage(): string {
  const rows = [
    ...Object.entries(workerCounters).map(([name, [help]]) => `| \`${name}\` | counter | ${help} |`),
    ...Object.entries(workerGauges).map(([name, [help]]) => `| \`${name}\` | gauge | ${help} |`),
    ...Object.entries(alertCounters).map(([name, [help]]) => `| \`${name}\` | counter | ${help} |`),
    ...Object.entries(alertGauges).map(([name, [help]]) => `| \`${name}\` | gauge | ${help} |`),
  ]
  return `${before}${['| Name | Type | Meaning |', '| --- | --- | --- |', ...rows].join('\n')}\n`
}
