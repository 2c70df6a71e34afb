import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * A way to a broker that can be cut, slowed and made to lie. Clients stay on it: the broker's own address in what it
 * answers is replaced by the proxy's.
 */
export class KafkaProxy {
  readonly #target: { host: string; port: number }
  readonly #sockets = new Set<Socket>()
  readonly #server: Server
  /** How long bytes are under way, in each direction. */
  delayMs = 0
  /** Takes connections and requests, and lets no answer pass. */
  isSilent = false
  /** Changes what the broker sends. */
  spoil: (chunk: Buffer) => void = () => undefined
  connections = 0

  static async start(bootstrap: string): Promise<KafkaProxy> {
    const proxy = new KafkaProxy(bootstrap)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  private constructor(bootstrap: string) {
    const [host = '', port = ''] = bootstrap.split(':')
    this.#target = { host, port: Number(port) }
    this.#server = createServer((client) => this.#serve(client))
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address ? address.port : 0
  }

  get bootstrap(): string {
    return `127.0.0.1:${this.port}`
  }

  /** Breaks every connection there is. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #serve(client: Socket): void {
    this.connections += 1
    const broker = connect(this.#target.port, this.#target.host)
    for (const [from, to] of [
      [client, broker],
      [broker, client],
    ] as const) {
      this.#sockets.add(from)
      from.setNoDelay(true)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
    }
    client.on('data', (chunk) => void this.#pass(chunk, broker))
    broker.on('data', (chunk) => {
      if (this.isSilent) return
      this.#readdress(chunk)
      this.spoil(chunk)
      void this.#pass(chunk, client)
    })
  }

  async #pass(chunk: Buffer, to: Socket): Promise<void> {
    if (this.delayMs > 0) await delay(this.delayMs)
    if (!to.destroyed) to.write(chunk)
  }

  /** A metadata answer has a broker's port as four bytes behind its host. */
  #readdress(chunk: Buffer): void {
    const theirs = addressBytes(this.#target.port)
    for (let at = chunk.indexOf(theirs); at >= 0; at = chunk.indexOf(theirs, at)) {
      addressBytes(this.port).copy(chunk, at)
    }
  }
}

function addressBytes(port: number): Buffer {
  const bytes = Buffer.from('127.0.0.1\0\0\0\0')
  bytes.writeInt32BE(port, bytes.length - 4)
  return bytes
}
