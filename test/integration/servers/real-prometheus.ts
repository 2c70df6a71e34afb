import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'vitest'
import { choosePort } from '../../../src/process/ports.ts'
import { endChild } from '../scenes/processes.ts'
import { until } from '../scenes/until.ts'

/** CI has it, by Debian's package; elsewhere a developer may not. */
export function needPrometheus(context: TestContext): void {
  if (process.env.CI || spawnSync('prometheus', ['--version'], { stdio: 'ignore' }).status === 0) return
  context.skip('prometheus is not installed')
}

export interface Series {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [atSeconds: number, value: string]
}

interface PrometheusOptions {
  /** `http://HOST:PORT` of each. */
  readonly targets: readonly string[]
  readonly rules: string
  readonly alertmanager?: string
}

/** A Prometheus on loopback that scrapes every second. */
export class RealPrometheus {
  readonly #folder = mkdtempSync(join(tmpdir(), 'market-kpi-prometheus-'))
  #child: ChildProcess | undefined
  #port = 0

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  async start({ targets, rules, alertmanager }: PrometheusOptions): Promise<void> {
    this.#port = await choosePort(0)
    const hosts = (urls: readonly string[]) => [{ targets: urls.map((url) => new URL(url).host) }]
    const config = {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: ['market-kpi.rules.yml'],
      scrape_configs: [{ job_name: 'market-kpi', static_configs: hosts(targets) }],
      ...(alertmanager ? { alerting: { alertmanagers: [{ static_configs: hosts([alertmanager]) }] } } : {}),
    }
    // YAML takes JSON.
    writeFileSync(join(this.#folder, 'prometheus.yml'), JSON.stringify(config))
    writeFileSync(join(this.#folder, 'market-kpi.rules.yml'), rules)
    const args = [
      `--config.file=${join(this.#folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(this.#folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${this.#port}`,
    ]
    this.#child = spawn('prometheus', args, { stdio: 'ignore' })
    const isReady = () =>
      fetch(`${this.url}/-/ready`).then(
        (answer) => answer.ok,
        () => false,
      )
    await until('a ready Prometheus', isReady, (ready) => ready)
  }

  /** @throws With Prometheus' own words, for a query that it does not understand. */
  async query(expr: string): Promise<Series[]> {
    const answer = await this.#get<{ result: Series[] }>(`query?query=${encodeURIComponent(expr)}`)
    return answer.result
  }

  /** How each rule is: `ok`, or what is wrong with it. */
  async rules(): Promise<{ name: string; state: string; health: string; lastError?: string }[]> {
    const { groups } = await this.#get<{ groups: { rules: { name: string; state: string; health: string }[] }[] }>(
      'rules',
    )
    return groups.flatMap(({ rules }) => rules)
  }

  /** Why a target cannot be scraped; empty for those that can. */
  async scrapeErrors(): Promise<string[]> {
    const { activeTargets } = await this.#get<{ activeTargets: { health: string; lastError: string }[] }>('targets')
    return activeTargets.map(({ health, lastError }) => (health === 'up' ? '' : lastError || health))
  }

  async #get<T>(path: string): Promise<T> {
    const answer = await fetch(`${this.url}/api/v1/${path}`)
    const body = (await answer.json()) as { status: string; error?: string; data: T }
    if (body.status !== 'success') throw new Error(`${path}: ${body.error}`)
    return body.data
  }

  async stop(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    await endChild(child)
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
