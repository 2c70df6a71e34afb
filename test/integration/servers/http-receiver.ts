import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** What a receiver says; nothing at all with `hang`. */
export type Answer =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  | 'hang'
  | 'reset'

/** A web server on loopback that keeps what it got and answers as told: the last answer again and again. */
export class HttpReceiver {
  readonly received: Received[] = []
  answers: Answer[] = [{ status: 200 }]
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { url = '', headers } = request
      this.received.push({ path: url, headers, body: Buffer.concat(chunks).toString('utf8') })
      const answer = this.answers.length > 1 ? this.answers.shift() : this.answers[0]
      if (answer === undefined || answer === 'hang') return
      if (answer === 'reset') return void request.socket.destroy()
      response.writeHead(answer.status, answer.headers).end(answer.body ?? '')
    })
  })

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
  }

  /** `127.0.0.1:PORT`. */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** The body of the only request so far. */
  only(): Received {
    const [first, ...more] = this.received
    if (!first || more.length > 0) throw new Error(`got ${this.received.length} requests, not one`)
    return first
  }

  forget(): void {
    this.received.length = 0
    this.answers = [{ status: 200 }]
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}
