import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { GrafanaOptions } from '../../../src/export/grafana/grafana-files.ts'
import { thresholds } from '../observe/scene.ts'
import { type Dashboard, dashboardsOf, exportedFiles, panelsOf } from './dashboards.ts'

/** Panels that Grafana shows no more, or only as something else. */
const deprecated = ['graph', 'singlestat', 'table-old', 'grafana-worldmap-panel', 'grafana-piechart-panel']

describe.each(dashboardsOf(exportedFiles()))('$uid', (board: Dashboard) => {
  const panels = panelsOf(board)

  it('has an id for each panel, and none twice', () => {
    const ids = board.panels.map(({ id }) => id)
    expect(ids.every((id) => Number.isInteger(id) && id > 0)).toBe(true)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('shows nothing by a panel that is deprecated, and says of each what it is', () => {
    expect(panels.length).toBeGreaterThan(5)
    expect(panels.filter(({ type }) => deprecated.includes(type))).toEqual([])
    for (const { title, description } of panels) expect(`${title}: ${description}`).toMatch(/^\S.*: \S.{10,}\.$/)
  })

  it('asks for something in each panel, by a source that is provisioned, each query with its letter', () => {
    const uids = ['market-kpi-prometheus', 'market-kpi-postgres']
    for (const { title, targets } of panels) {
      expect([title, targets.map(({ refId }) => refId)]).toEqual([title, [...'ABCDEF'].slice(0, targets.length)])
      expect([title, targets.length]).not.toEqual([title, 0])
      for (const { datasource } of targets) expect(uids).toContain(datasource.uid)
    }
  })

  it('has no two panels on one place', () => {
    const taken = new Set<string>()
    for (const { gridPos } of board.panels) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x},${y}`)).toBe(false)
          expect(x).toBeLessThan(24)
          taken.add(`${x},${y}`)
        }
      }
    }
  })
})

it('the addresses of dashboards stay', () => {
  expect(dashboardsOf(exportedFiles()).map(({ uid }) => uid)).toEqual(['market-kpi-operations', 'market-kpi-prices'])
})

it('the same configuration makes the same files', () => {
  expect([...exportedFiles()]).toEqual([...exportedFiles()])
})

it('panels are coloured by the thresholds of the configuration', () => {
  const limits = thresholds({ lagWarningMessages: '4321', diskWarningPercent: '60', diskCriticalPercent: '61' })
  const [board] = dashboardsOf(exportedFiles({ thresholds: limits }))
  const steps = (title: string) =>
    board && panelsOf(board).find((panel) => panel.title === title)?.fieldConfig.defaults.thresholds?.steps
  expect(steps('Lag')).toEqual([
    { value: null, color: 'green' },
    { value: 4321, color: 'orange' },
  ])
  expect(steps('Disk')).toEqual([
    { value: null, color: 'green' },
    { value: 0.6, color: 'orange' },
    { value: 0.61, color: 'red' },
  ])
})

describe('the data sources', () => {
  const sources = (more: Partial<GrafanaOptions> = {}) =>
    parse(exportedFiles(more).get('provisioning/datasources/market-kpi.yaml') ?? '').datasources

  it('are read as the role that may only read, by a password from the environment', () => {
    const [prometheus, postgres] = sources()
    expect(prometheus.url).toBe('http://prometheus:9090')
    expect(postgres).toMatchObject({ url: 'db:5433', user: 'bi_reader', jsonData: { database: 'bi_realtime' } })
    expect(postgres.secureJsonData).toEqual({ password: '$' + '{MARKET_KPI_READER_PASSWORD}' })
  })

  it('go encrypted where a network lies between', () => {
    const modeAt = (host: string, sslMode: string) =>
      sources({ postgres: { host, port: 5432, database: 'x', sslMode } })[1].jsonData.sslmode
    expect(modeAt('db', 'prefer')).toBe('require')
    expect(modeAt('127.0.0.1', 'prefer')).toBe('disable')
    expect(modeAt('db', 'verify-full')).toBe('verify-full')
  })
})

it('dashboards are found where they were put', () => {
  const provider = parse(exportedFiles().get('provisioning/dashboards/market-kpi.yaml') ?? '').providers[0]
  expect(provider.options.path).toBe('/var/lib/dashboards')
})
