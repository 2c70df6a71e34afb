import { join } from 'node:path'
import { stringify } from 'yaml'
import type { Thresholds } from '../../config/thresholds.ts'
import { limitsOf, type PanelLimits } from './colours.ts'
import { postgresSource, prometheusSource } from './data-sources.ts'
import { operationsDashboard } from './operations-dashboard.ts'
import { pricesDashboard } from './prices-dashboard.ts'

export interface GrafanaOptions {
  readonly thresholds: Thresholds
  /** `http://HOST:PORT` */
  readonly prometheusUrl: string
  readonly postgres: {
    readonly host: string
    readonly port: number
    readonly database: string
    readonly sslMode: string
  }
  /** The variable in Grafana's environment with the password of the read-only role. */
  readonly passwordVariable: string
  /** The path of the dashboard files as Grafana sees it; in a container it differs from the path here. */
  readonly dashboardsPath: string
}

/** The read-only role of the database. */
const reader = 'bi_reader'

/** The provisioning files of Grafana: the text of each file, by its path. */
export function grafanaFiles(options: GrafanaOptions): ReadonlyMap<string, string> {
  const limits = limitsOf(options.thresholds)
  return new Map([
    ...dashboards(limits),
    [join('provisioning', 'datasources', 'market-kpi.yaml'), sourcesFile(options)],
    [join('provisioning', 'dashboards', 'market-kpi.yaml'), providerFile(options)],
  ])
}

function dashboards(limits: PanelLimits): [string, string][] {
  return [operationsDashboard(limits), pricesDashboard(limits)].map((board) => {
    const built = board.build()
    return [join('dashboards', `${built.uid}.json`), `${JSON.stringify(built, null, 2)}\n`]
  })
}

function sourcesFile({ prometheusUrl, postgres, passwordVariable }: GrafanaOptions): string {
  const { host, port, database } = postgres
  const own = { access: 'proxy', editable: false }
  return yaml({
    apiVersion: 1,
    datasources: [
      {
        name: 'market-kpi Prometheus',
        ...prometheusSource,
        ...own,
        url: prometheusUrl,
        jsonData: { timeInterval: '15s', httpMethod: 'POST' },
      },
      {
        name: 'market-kpi PostgreSQL',
        ...postgresSource,
        ...own,
        url: `${host.includes(':') ? `[${host}]` : host}:${port}`,
        user: reader,
        jsonData: { database, sslmode: grafanaSslMode(postgres), postgresVersion: 1500, maxOpenConns: 4 },
        secureJsonData: { password: `\${${passwordVariable}}` },
      },
    ],
  })
}

/** Grafana's driver has no `prefer`, so the connection is encrypted unless the server is on the same machine. */
function grafanaSslMode({ host, sslMode }: GrafanaOptions['postgres']): string {
  if (sslMode !== 'prefer') return sslMode
  return ['localhost', '127.0.0.1', '::1'].includes(host) ? 'disable' : 'require'
}

function providerFile({ dashboardsPath }: GrafanaOptions): string {
  const provider = {
    name: 'market-kpi',
    folder: 'market-kpi',
    type: 'file',
    updateIntervalSeconds: 30,
    allowUiUpdates: false,
    options: { path: dashboardsPath },
  }
  return yaml({ apiVersion: 1, providers: [provider] })
}

function yaml(content: unknown): string {
  return `# Written by 'market-kpi export grafana'.\n${stringify(content, { lineWidth: 0 })}`
}
