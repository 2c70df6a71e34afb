import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog'
import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common'
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus'

/** Provisioned under these names, so that dashboards find them. */
export const prometheusSource = { type: 'prometheus', uid: 'market-kpi-prometheus' } as const satisfies DataSourceRef
export const postgresSource = {
  type: 'grafana-postgresql-datasource',
  uid: 'market-kpi-postgres',
} as const satisfies DataSourceRef

/** Of a pipeline, which is a job of Prometheus. */
export const ofJob = '{job="$job"}'

/** A query over the time shown. */
export function prom(expr: string, legend = ''): Builder<Dataquery> {
  return new DataqueryBuilder().datasource(prometheusSource).expr(expr).legendFormat(legend).range()
}

/** A query of now alone. */
export function promNow(expr: string, legend = ''): Builder<Dataquery> {
  return new DataqueryBuilder().datasource(prometheusSource).expr(expr).legendFormat(legend).instant()
}

/** What Grafana's PostgreSQL source takes; the SDK has no builder for it. */
interface SqlQuery extends Dataquery {
  readonly datasource: DataSourceRef
  readonly format: 'table' | 'time_series'
  readonly rawQuery: true
  readonly editorMode: 'code'
  readonly rawSql: string
}

/** Columns as they are; one that is called `time` is the time. */
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

/** As panels want them: each query has a letter of its own. */
export function lettered(queries: readonly Builder<Dataquery>[]): Builder<Dataquery>[] {
  return queries.map((query, index) => {
    const refId = String.fromCharCode('A'.charCodeAt(0) + index)
    return { build: () => Object.assign(query.build(), { refId }) }
  })
}
