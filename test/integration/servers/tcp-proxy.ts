import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** A way to a server that can be cut, slowed, silenced and made to lie. */
export class TcpProxy {
  readonly #target: { host: string; port: number }
  readonly #sockets = new Set<Socket>()
  readonly #server: Server
  #readdress: (chunk: Buffer) => void = () => undefined
  /** How long bytes are under way, in each direction. */
  delayMs = 0
  /** Whether connections are taken. */
  isOpen = true
  /** Takes connections and requests, and lets no answer pass. */
  isSilent = false
  /** Takes requests and lets none pass. */
  isDeaf = false
  /** Bytes of requests that did not pass. */
  swallowedBytes = 0
  /** Changes what the server sends. */
  spoil: (chunk: Buffer) => void = () => undefined
  /** How many were taken so far. */
  connections = 0

  static async start(address: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(address)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  /** Clients stay on it: the broker's own address in what it answers is replaced by the proxy's. */
  static async startKafka(bootstrap: string): Promise<TcpProxy> {
    const proxy = await TcpProxy.start(bootstrap)
    const theirs = addressBytes(proxy.#target.port)
    const ours = addressBytes(proxy.port)
    proxy.#readdress = (chunk) => {
      for (let at = chunk.indexOf(theirs); at >= 0; at = chunk.indexOf(theirs, at)) ours.copy(chunk, at)
    }
    return proxy
  }

  private constructor(address: string) {
    const [host = '', port = ''] = address.split(':')
    this.#target = { host, port: Number(port) }
    this.#server = createServer((client) => this.#serve(client))
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address ? address.port : 0
  }

  get address(): string {
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
    if (!this.isOpen) {
      client.destroy()
      return
    }
    this.connections += 1
    const server = connect(this.#target.port, this.#target.host)
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from)
      from.setNoDelay(true)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
    }
    client.on('data', (chunk) => {
      if (this.isDeaf) this.swallowedBytes += chunk.length
      else void this.#pass(chunk, server)
    })
    server.on('data', (chunk) => {
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
}

/** A metadata answer has a broker's port as four bytes behind its host. */
function addressBytes(port: number): Buffer {
  const bytes = Buffer.from('127.0.0.1\0\0\0\0')
  bytes.writeInt32BE(port, bytes.length - 4)
  return bytes
}
