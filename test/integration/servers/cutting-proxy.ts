import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** How a connection through the proxy fares. */
export interface Fate {
  /** It is cut after so many bytes to the server, in the middle of whatever they belong to; */
  readonly bytesUp: number
  /** Or after so many bytes of answers: what the server answers then is lost. */
  readonly bytesDown: number
}

/** Stands between a client and a server, and cuts connections. */
export class CuttingProxy {
  readonly #server: Server
  readonly #target: { host: string; port: number }
  readonly #fateOf: () => Fate
  readonly #sockets = new Set<Socket>()
  /** How many connections were cut. */
  cuts = 0

  constructor(target: { host: string; port: number }, fateOf: () => Fate) {
    this.#target = target
    this.#fateOf = fateOf
    this.#server = createServer((client) => this.#join(client))
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #join(client: Socket): void {
    const server = connect(this.#target)
    let { bytesUp, bytesDown } = this.#fateOf()
    for (const socket of [client, server]) {
      this.#sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => this.#sockets.delete(socket))
    }
    // What was passed on still reaches the server, as from a client that died.
    client.on('close', () => server.end())
    server.on('close', () => client.destroy())
    const cut = () => {
      this.cuts += 1
      client.destroy()
    }
    client.on('data', (chunk: Buffer) => {
      server.write(chunk.subarray(0, Math.max(0, bytesUp)))
      bytesUp -= chunk.length
      if (bytesUp <= 0) cut()
    })
    server.on('data', (chunk: Buffer) => {
      if (client.destroyed) return
      client.write(chunk.subarray(0, bytesDown))
      bytesDown -= chunk.length
      if (bytesDown <= 0) cut()
    })
  }
}
