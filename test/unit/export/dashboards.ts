import { type GrafanaOptions, grafanaFiles } from '../../../src/export/grafana/grafana-files.ts'
import { thresholds } from '../observe/scene.ts'

/** As much of a dashboard's JSON as tests look at. */
export interface Dashboard {
  readonly uid: string
  readonly panels: readonly (Panel | Row)[]
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: unknown }[] }
  readonly annotations: { readonly list: readonly { readonly expr?: string; readonly target?: Target }[] }
}

interface Placed {
  readonly id: number
  readonly type: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
}

type Row = Placed & { readonly type: 'row' }

export interface Panel extends Placed {
  readonly title: string
  readonly description: string
  readonly targets: readonly Target[]
  readonly fieldConfig: { readonly defaults: { readonly thresholds?: { readonly steps: readonly unknown[] } } }
}

export interface Target {
  readonly refId: string
  readonly datasource: { readonly uid: string }
  readonly expr?: string
  readonly rawSql?: string
  readonly format?: string
}

/** What is exported with default limits, for servers that need not be there. */
export function exportedFiles(more: Partial<GrafanaOptions> = {}): ReadonlyMap<string, string> {
  return grafanaFiles({
    thresholds: thresholds(),
    prometheusUrl: 'http://prometheus:9090',
    postgres: { host: 'db', port: 5433, database: 'bi_realtime', sslMode: 'prefer' },
    passwordVariable: 'MARKET_KPI_READER_PASSWORD',
    dashboardsPath: '/var/lib/dashboards',
    ...more,
  })
}

export function dashboardsOf(files: ReadonlyMap<string, string>): Dashboard[] {
  return [...files].filter(([path]) => path.endsWith('.json')).map(([, text]) => JSON.parse(text) as Dashboard)
}

/** Without the headings. */
export function panelsOf({ panels }: Dashboard): Panel[] {
  return panels.filter((panel): panel is Panel => panel.type !== 'row')
}
