import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog'
import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common'
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus'

/** The data sources are provisioned with these uids, which the dashboards refer to. */
export const prometheusSource = { type: 'prometheus', uid: 'market-kpi-prometheus' } as const satisfies DataSourceRef
export const postgresSource = {
  type: 'grafana-postgresql-datasource',
  uid: 'market-kpi-postgres',
} as const satisfies DataSourceRef

/** Selects the series of one pipeline, which is a job in Prometheus. */
export const ofJob = '{job="$job"}'

/** A query over the displayed time range. */
export function prom(expr: string, legend = ''): Builder<Dataquery> {
  return new DataqueryBuilder().datasource(prometheusSource).expr(expr).legendFormat(legend).range()
}

/** A query of the current values only. */
export function promNow(expr: string, legend = ''): Builder<Dataquery> {
  return new DataqueryBuilder().datasource(prometheusSource).expr(expr).legendFormat(legend).instant()
}

/** A query of Grafana's PostgreSQL data source; the SDK has no builder for it. */
interface SqlQuery extends Dataquery {
  readonly datasource: DataSourceRef
  readonly format: 'table' | 'time_series'
  readonly rawQuery: true
  readonly editorMode: 'code'
  readonly rawSql: string
}

/** The columns are used as they are; a column named `time` is the time axis. */
export function sql(rawSql: string, format: SqlQuery['format'] = 'table'): Builder<Dataquery> {
  const query: SqlQuery = {
    datasource: postgresSource,
    format,
    rawQuery: true,
    editorMode: 'code',
    rawSql,
    _implementsDataqueryVariant: () => {},
  }
  return { build: () => query }
}

/** Gives each query of a panel its own letter as `refId`. */
export function lettered(queries: readonly Builder<Dataquery>[]): Builder<Dataquery>[] {
  return queries.map((query, index) => {
    const refId = String.fromCharCode('A'.charCodeAt(0) + index)
    return { build: () => Object.assign(query.build(), { refId }) }
  })
}
