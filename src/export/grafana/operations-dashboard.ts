import {
  AnnotationQueryBuilder,
  DashboardBuilder,
  QueryVariableBuilder,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { PanelBuilder as TimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline'
import { colours, type PanelLimits, stepsOf } from './colours.ts'
import { lettered, ofJob, prom, prometheusSource, promNow } from './data-sources.ts'
import { dashboardOf, type Section } from './layout.ts'
import { sections } from './operations-sections.ts'
import { stat, wordsFor } from './panels.ts'

/**
 * The operations dashboard: whether the pipeline works, what is broken, and where it is slow. It reads from Prometheus.
 */
export function operationsDashboard(limits: PanelLimits): DashboardBuilder {
  const job = new QueryVariableBuilder('job')
    .label('Pipeline')
    .datasource(prometheusSource)
    .query({ query: 'label_values(market_kpi_up, job)', refId: 'job' })
    .refresh(VariableRefresh.OnDashboardLoad)
  const alerts = new AnnotationQueryBuilder()
    .name('Alerts')
    .datasource(prometheusSource)
    .enable(true)
    .iconColor(colours.critical)
    .expr('ALERTS{job="$job", alertstate="firing", severity!="info"}')
    .titleFormat('{{alertname}}')
    .textFormat('{{severity}}')
    .tagKeys('severity')
    .step('15s')
  const board = new DashboardBuilder('market-kpi: pipeline operations')
    .uid('market-kpi-operations')
    .description('Whether the pipeline works, what broke first, and where it is slow.')
    .tags(['market-kpi'])
    .readonly()
    .time({ from: 'now-1h', to: 'now' })
    .refresh('15s')
    .withVariable(job)
    .annotation(alerts)
  return dashboardOf(board, [overview(limits), ...sections(limits)])
}

const lookedAt = `max(market_kpi_observation_timestamp_seconds${ofJob})`

function overview(limits: PanelLimits): Section {
  return {
    title: 'Overview',
    panels: [
      stat({
        title: 'Parts',
        about: 'Each part that is seen to do its work; one that cannot be seen is down here.',
        width: 24,
        queries: [promNow(`max by (component) (market_kpi_up${ofJob})`, '{{component}}')],
        words: { 0: ['down', colours.critical], 1: ['up', colours.ok] },
      }),
      stat({
        title: 'Lag',
        about: 'Messages in the log and not yet in the rows.',
        width: 6,
        queries: [prom(`max(market_kpi_lag_messages${ofJob})`)],
        limits: limits.lag,
      }),
      stat({
        title: 'Newest price',
        about: 'How old the newest price in the rows is.',
        width: 6,
        unit: 's',
        queries: [prom(`${lookedAt} - max(market_kpi_newest_price_timestamp_seconds${ofJob})`)],
        limits: limits.freshness,
      }),
      stat({
        title: 'Throughput',
        about: 'Messages merged and rejected a second. Without a backlog, few are no fault.',
        width: 6,
        unit: 'cps',
        queries: [prom(`max(market_kpi_throughput_messages_per_second${ofJob})`)],
      }),
      stat({
        title: 'Rejected',
        about: 'Of all messages of the last minutes.',
        width: 6,
        unit: 'percentunit',
        queries: [prom(`max(market_kpi_error_ratio${ofJob})`)],
        limits: limits.errorRatio,
      }),
      findingsPanel(),
    ],
  }
}

/** The findings of each rule over time, without symptoms. */
function findingsPanel(): TimelineBuilder {
  const of = (severity: string) => `max by (rule) (market_kpi_finding{job="$job", severity="${severity}"})`
  return new TimelineBuilder()
    .title('Findings')
    .description('What each rule found: the cause, not what follows from it.')
    .span(24)
    .height(12)
    .mappings([
      wordsFor({ 0: ['fine', colours.ok], 1: ['warning', colours.warning], 2: ['critical', colours.critical] }),
    ])
    .thresholds(stepsOf({ warning: 1, critical: 2 }))
    .targets(lettered([prom(`clamp_max(${of('warning')} + 2 * ${of('critical')}, 2)`, '{{rule}}')]))
}
