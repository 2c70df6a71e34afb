import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'vitest'
import { choosePort } from '../../../src/process/ports.ts'
import { endChild } from '../scenes/processes.ts'
import { until } from '../scenes/until.ts'
import { PrometheusApi } from './prometheus-api.ts'

/** CI has it, by Debian's package; elsewhere a developer may not. */
export function needPrometheus(context: TestContext): void {
  if (process.env.CI || spawnSync('prometheus', ['--version'], { stdio: 'ignore' }).status === 0) return
  context.skip('prometheus is not installed')
}

interface PrometheusOptions {
  /** `http://HOST:PORT` of each. */
  readonly targets: readonly string[]
  readonly rules: string
  readonly alertmanager?: string
}

/** A Prometheus on loopback that scrapes every second. */
export class RealPrometheus extends PrometheusApi {
  readonly #folder = mkdtempSync(join(tmpdir(), 'market-kpi-prometheus-'))
  #child: ChildProcess | undefined

  constructor() {
    super('not started')
  }

  async start({ targets, rules, alertmanager }: PrometheusOptions): Promise<void> {
    const port = await choosePort(0)
    this.url = `http://127.0.0.1:${port}`
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
      `--web.listen-address=127.0.0.1:${port}`,
    ]
    this.#child = spawn('prometheus', args, { stdio: 'ignore' })
    const isReady = () =>
      fetch(`${this.url}/-/ready`).then(
        (answer) => answer.ok,
        () => false,
      )
    await until('a ready Prometheus', isReady, (ready) => ready)
  }

  async stop(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    await endChild(child)
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
