import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { choosePort } from '../../../src/process/ports.ts'
import { endChild } from '../scenes/processes.ts'
import { until } from '../scenes/until.ts'

const program = 'prometheus-alertmanager'

/** Debian's package is called as its program. */
export function hasAlertmanager(): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0
}

export interface ListedAlert {
  readonly labels: Record<string, string>
  readonly annotations: Record<string, string>
  readonly startsAt: string
  readonly endsAt: string
  readonly status: { readonly state: string }
}

/** An Alertmanager on loopback that tells one webhook of everything, a second after it hears of it. */
export class RealAlertmanager {
  readonly #folder = mkdtempSync(join(tmpdir(), 'market-kpi-alertmanager-'))
  #child: ChildProcess | undefined
  #port = 0

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** @param more - Further parts of its configuration. */
  async start(webhookUrl: string, more: object = {}): Promise<void> {
    this.#port = await choosePort(0)
    const config = join(this.#folder, 'alertmanager.yml')
    const route = { receiver: 'test', group_by: ['...'], group_wait: '1s', group_interval: '1s', repeat_interval: '1h' }
    const receivers = [{ name: 'test', webhook_configs: [{ url: webhookUrl, send_resolved: true }] }]
    // YAML takes JSON.
    writeFileSync(config, JSON.stringify({ route, receivers, ...more }))
    const args = [
      `--config.file=${config}`,
      `--storage.path=${join(this.#folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${this.#port}`,
      '--cluster.listen-address=',
    ]
    this.#child = spawn(program, args, { stdio: 'ignore' })
    const isReady = () =>
      fetch(`${this.url}/-/ready`).then(
        (answer) => answer.ok,
        () => false,
      )
    await until('a ready Alertmanager', isReady, (ready) => ready)
  }

  async alerts(): Promise<ListedAlert[]> {
    return (await (await fetch(`${this.url}/api/v2/alerts`)).json()) as ListedAlert[]
  }

  async stop(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    await endChild(child)
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
