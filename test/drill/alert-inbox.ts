import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Notification } from '../../src/alerts/notification.ts'
import { type Telling, tellingsOf } from './tellings.ts'

/** The receiver of the drill: a web server on this machine that takes what `alerts watch` sends, with its time. */
export class AlertInbox {
  readonly #server: Server
  readonly #ids = new Set<string>()
  readonly #tellings: Telling[] = []

  private constructor(server: Server) {
    this.#server = server
    server.on('request', async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      this.#take(JSON.parse(Buffer.concat(chunks).toString('utf8')) as Notification)
      response.end()
    })
  }

  static async start(): Promise<AlertInbox> {
    const server = createServer()
    const inbox = new AlertInbox(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return inbox
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/alerts`
  }

  /** All so far, oldest first. */
  get tellings(): readonly Telling[] {
    return this.#tellings
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  /** An answer that was lost brings a notification twice, with the same id. */
  #take(notification: Notification): void {
    if (this.#ids.has(notification.id)) return
    this.#ids.add(notification.id)
    this.#tellings.push(...tellingsOf(notification, performance.now()))
  }
}
