import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { resetSocket } from './reset-socket.ts'

/**
 * Stands between programs and a server on this machine, and does to their connections what networks do:
 *   cut        both ends are reset;
 *   slow       every byte arrives later, in order;
 *   stalled    connections are accepted and stay open, and no byte passes; all of them arrive in the end;
 *   deaf       what clients say arrives, and is done; the answers are lost, and the connections reset in the end;
 *   half-open  the server's end is gone, the client's stays open and silent, until it is reset at last.
 */
export class TcpProxy {
  readonly #server: Server
  readonly #pairs = new Set<Pair>()
  readonly #target: number
  #delayMs = 0
  #stalled = false
  #deaf = false

  private constructor(target: number) {
    this.#target = target
    this.#server = createServer({ noDelay: true }, (client) => this.#accept(client))
  }

  /** @param target - A port of this machine; nobody needs to listen there yet. */
  static async start(target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target)
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject)
      proxy.#server.listen({ port: 0, host: '127.0.0.1' }, resolve)
    })
    return proxy
  }

  get port(): number {
    const address = this.#server.address()
    if (typeof address !== 'object' || address === null) throw new Error('the proxy does not listen')
    return address.port
  }

  get connectionCount(): number {
    return this.#pairs.size
  }

  /** Resets those connections that are chosen. @returns How many. */
  cut(isChosen: () => boolean): number {
    const chosen = [...this.#pairs].filter(isChosen)
    for (const pair of chosen) pair.reset()
    return chosen.length
  }

  /** From now on, in both directions; 0 ends it. */
  slowDown(delayMs: number): void {
    this.#delayMs = delayMs
  }

  stall(): void {
    this.#stalled = true
    for (const pair of this.#pairs) pair.pause()
  }

  release(): void {
    this.#stalled = false
    for (const pair of this.#pairs) pair.resume()
  }

  /** Loses all answers. @returns Ends that, by a reset of the connections that lost any. */
  loseAnswers(): () => void {
    this.#deaf = true
    return () => {
      this.#deaf = false
      for (const pair of this.#pairs) if (pair.lostAnswers) pair.reset()
    }
  }

  /** Leaves the clients of all connections alone with theirs. @returns Ends that, by a reset. */
  halfOpen(): () => void {
    const chosen = [...this.#pairs]
    for (const pair of chosen) pair.dropServer()
    return () => {
      for (const pair of chosen) pair.reset()
    }
  }

  async close(): Promise<void> {
    this.cut(() => true)
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #accept(client: Socket): void {
    const server = createConnection({ port: this.#target, host: '127.0.0.1', noDelay: true })
    const pair = new Pair(client, server, { delayMs: () => this.#delayMs, isDeaf: () => this.#deaf })
    this.#pairs.add(pair)
    client.once('close', () => this.#pairs.delete(pair))
    if (this.#stalled) pair.pause()
  }
}

/** The ways to several servers, to which the same happens at the same time. */
export class Ways {
  readonly #proxies: readonly TcpProxy[]

  constructor(proxies: readonly TcpProxy[]) {
    this.#proxies = proxies
  }

  cut(isChosen: () => boolean): number {
    return this.#proxies.reduce((sum, proxy) => sum + proxy.cut(isChosen), 0)
  }

  slowDown(delayMs: number): void {
    for (const proxy of this.#proxies) proxy.slowDown(delayMs)
  }

  stall(): void {
    for (const proxy of this.#proxies) proxy.stall()
  }

  release(): void {
    for (const proxy of this.#proxies) proxy.release()
  }

  loseAnswers(): () => void {
    return all(this.#proxies.map((proxy) => proxy.loseAnswers()))
  }

  halfOpen(): () => void {
    return all(this.#proxies.map((proxy) => proxy.halfOpen()))
  }

  async close(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.close()))
  }
}

function all(ends: readonly (() => void)[]): () => void {
  return () => {
    for (const end of ends) end()
  }
}

interface Condition {
  readonly delayMs: () => number
  readonly isDeaf: () => boolean
}

class Pair {
  readonly #client: Socket
  readonly #server: Socket
  #isHalfOpen = false
  #lostAnswers = false

  constructor(client: Socket, server: Socket, { delayMs, isDeaf }: Condition) {
    this.#client = client
    this.#server = server
    this.#forward(client, server, delayMs)
    this.#forward(server, client, delayMs, () => {
      if (isDeaf()) this.#lostAnswers = true
      return !this.#lostAnswers
    })
    client.once('close', () => server.destroy())
    server.once('close', () => {
      if (!this.#isHalfOpen) client.destroy()
    })
    client.on('error', () => this.reset())
    server.on('error', () => {
      if (!this.#isHalfOpen) this.reset()
    })
  }

  get lostAnswers(): boolean {
    return this.#lostAnswers
  }

  pause(): void {
    this.#client.pause()
    this.#server.pause()
  }

  resume(): void {
    this.#client.resume()
    this.#server.resume()
  }

  reset(): void {
    resetSocket(this.#client)
    resetSocket(this.#server)
  }

  dropServer(): void {
    this.#isHalfOpen = true
    resetSocket(this.#server)
  }

  /** In order, each chunk so long after it came as the delay is then. */
  #forward(from: Socket, to: Socket, delayMs: () => number, passes = () => true): void {
    let last: Promise<void> = Promise.resolve()
    const afterLast = (waitMs: number, pass: () => void) => {
      const due = waitMs > 0 ? delay(waitMs) : undefined
      last = last.then(async () => {
        await due
        pass()
      })
    }
    from.on('data', (chunk: Buffer) => {
      const waitMs = delayMs()
      afterLast(waitMs, () => {
        if (passes() && !to.destroyed && !to.writableEnded) to.write(chunk)
      })
    })
    from.once('end', () => afterLast(0, () => to.end()))
  }
}
