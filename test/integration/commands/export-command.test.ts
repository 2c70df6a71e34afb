import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { marketKpi } from '../scenes/processes.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'market-kpi-export-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

async function exporting(args: readonly string[], env: Record<string, string> = {}) {
  const run = marketKpi(['export', ...args], env)
  const { code } = await run.exited
  return { code, stdout: run.stdout(), stderr: run.stderr() }
}

describe('export prometheus-rules', () => {
  it('has the thresholds, the pages and the interval that it is given', async () => {
    const { code, stdout, stderr } = await exporting(['prometheus-rules', '--interval', '30s'], {
      LAG_WARNING_MESSAGES: '4711',
      FRESHNESS_BY_SYMBOL: 'BTC/*=30:120,ILLIQ=off',
      ALERT_RUNBOOK_BASE_URL: 'https://docs.example/alerts/',
    })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('> 4711')
    expect(stdout).toContain('symbol=~"BTC/.*"')
    expect(stdout).toContain('symbol=~".*", symbol!~"BTC/.*", symbol!~"ILLIQ"')
    expect(stdout).toContain('runbook_url: https://docs.example/alerts/ConsumerLagHigh.md')
    expect(stdout).toContain('interval: 30s')
  })

  it('says which threshold is wrong', async () => {
    const { code, stdout, stderr } = await exporting(['prometheus-rules'], { LAG_WARNING_MESSAGES: '50' })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^LAG_TARGET_MESSAGES=100: must be below LAG_WARNING_MESSAGES=50\n$/)
  })
})

describe('export grafana', () => {
  const env = { DATABASE_URL: 'postgresql://owner:do-not-tell@db.example:6543/bi', POSTGRES_SSLMODE: 'verify-full' }

  it('writes its files, with no password in them, and says which', async () => {
    const out = join(folder, 'grafana')
    const args = ['grafana', '--out', out, '--prometheus-url', 'https://prom.example']
    const { code, stdout, stderr } = await exporting(args, env)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const files = stdout.trim().split('\n')
    expect(files.map((file) => file.slice(out.length + 1)).sort()).toEqual([
      'dashboards/market-kpi-operations.json',
      'dashboards/market-kpi-prices.json',
      'provisioning/dashboards/market-kpi.yaml',
      'provisioning/datasources/market-kpi.yaml',
    ])
    expect(readdirSync(out, { recursive: true, withFileTypes: true }).filter((file) => file.isFile()).length).toBe(4)
    const all = files.map((file) => readFileSync(file, 'utf8')).join('\n')
    expect(all).not.toContain('do-not-tell')
    for (const text of ['db.example:6543', 'verify-full', 'https://prom.example', `path: ${out}/dashboards`]) {
      expect(all).toContain(text)
    }
  })

  it.each([
    ['no database', ['--out', 'unused', '--data-dir', 'unused'], {}, /^no servers are named, and nothing runs in /],
    [
      'an address that is none',
      ['--out', 'unused', '--prometheus-url', 'prom:9090'],
      env,
      /must be http:\/\/HOST:PORT/,
    ],
    ['no folder', [], env, /required option '--out <dir>'/],
  ])('refuses %s, in one line', async (_, args, given, said) => {
    const { code, stdout, stderr } = await exporting(['grafana', ...args], given)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(said)
    expect(stderr.trim().split('\n').length).toBe(1)
  })

  it('says why it cannot write', async () => {
    const file = join(folder, 'a-file')
    writeFileSync(file, '')
    const { code, stderr } = await exporting(['grafana', '--out', file], env)
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/^\S*a-file\S* cannot be written: .+\n$/),
    })
  })
})

it('export config-schema is JSON with each setting', async () => {
  const { code, stdout, stderr } = await exporting(['config-schema'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(JSON.parse(stdout)).toMatchObject({ title: 'market-kpi.yaml', properties: { kafka_topic: {}, alerts: {} } })
})
