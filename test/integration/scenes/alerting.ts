import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { NotificationReason, NotifiedAlert } from '../../../src/alerts/notification.ts'
import { anyDiskEnv } from './observing.ts'
import { marketKpi, type Run } from './processes.ts'
import { until } from './until.ts'

/** What `alerts check ARGS` says and ends with. */
export async function alertsCheck(env: Record<string, string>, ...args: string[]) {
  return alerts(env, 'check', ...args)
}

export async function alerts(env: Record<string, string>, ...args: string[]) {
  const run = marketKpi(['alerts', ...args], { ...anyDiskEnv, ...env })
  const { code } = await run.exited
  return { code, stdout: run.stdout(), stderr: run.stderr() }
}

/** `alerts watch` with a short interval. */
export function watchAlerts(env: Record<string, string>, receiver: AlertReceiver, ...args: string[]): Run {
  return marketKpi(['alerts', 'watch', '--interval', '1s', '--http-port', '0', ...args], {
    ...anyDiskEnv,
    ...env,
    ALERT_WEBHOOK_URL: receiver.url,
  })
}

/** Of the webhook's JSON, what these tests look at. */
interface TakenNotification {
  readonly id: string
  readonly reason: NotificationReason
  readonly alerts: readonly Pick<NotifiedAlert, 'rule' | 'state'>[]
}

/** An HTTP server on this machine that takes what the webhook notifier sends. */
export class AlertReceiver {
  readonly notifications: TakenNotification[] = []
  /** What it answers with. */
  status = 200
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(): Promise<AlertReceiver> {
    const server = createServer()
    const receiver = new AlertReceiver(server)
    server.on('request', async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      if (receiver.status === 200) receiver.notifications.push(JSON.parse(Buffer.concat(chunks).toString('utf8')))
      response.writeHead(receiver.status).end()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return receiver
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/alerts`
  }

  /** The alerts of a rule that it was told of, as `firing` or `resolved`; a notification that came twice counts once. */
  told(rule: string): NotifiedAlert['state'][] {
    const unique = new Map(this.notifications.map((notification) => [notification.id, notification]))
    return [...unique.values()]
      .filter(({ reason }) => reason === 'firing' || reason === 'resolved')
      .flatMap((notification) => notification.alerts.filter((alert) => alert.rule === rule).map(({ state }) => state))
  }

  /** All rules it was told of. */
  get rules(): string[] {
    return [...new Set(this.notifications.flatMap((notification) => notification.alerts.map(({ rule }) => rule)))]
  }

  async untilTold(rule: string, states: readonly NotifiedAlert['state'][]): Promise<void> {
    await until(
      `told of ${rule}: ${states.join(', ')}`,
      () => this.told(rule),
      (told) => JSON.stringify(told) === JSON.stringify(states),
    )
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
