import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { KpiError, messageOf } from '../errors.ts'

/** The HTTP endpoints of a long-running command, reachable from this machine only. */
export interface StatusRoutes {
  /** In Prometheus' text format. */
  readonly metrics: () => Promise<string>
  /** Why the command cannot work now; empty if it can. */
  readonly notReady: () => readonly string[]
  /** The response of /health, as `application/health+json`. If its `status` is `fail`, the HTTP status is 503. */
  readonly health: () => Promise<Readonly<Record<string, unknown>>>
}

export interface StatusServer {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  close(): Promise<void>
}

const host = '127.0.0.1'

/**
 * Serves `/metrics`; `/livez`, which answers as long as the event loop runs; `/readyz`, which is 503 with the reasons
 * while the command cannot work; and `/health`, which reports the state of the whole pipeline.
 *
 * @param port - 0 for any free port.
 * @throws KpiError `KPI_PORT_BUSY`.
 */
export async function serveStatus(port: number, routes: StatusRoutes): Promise<StatusServer> {
  const server = createServer((request, response) => {
    answer(request, response, routes).catch((error: unknown) => {
      response.writeHead(500, { 'content-type': 'text/plain' }).end(`${messageOf(error)}\n`)
    })
  })
  // A scraper that keeps its connection open must not delay the end of the process.
  server.keepAliveTimeout = 5000
  const got = await listen(server, port)
  return {
    url: `http://${host}:${got}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'is taken' : `cannot be used (${error.code})`
      reject(new KpiError('KPI_PORT_BUSY', `port ${port} ${why}: name a free one, or 0 for any`, { cause: error }))
    })
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}

async function answer(request: IncomingMessage, response: ServerResponse, routes: StatusRoutes): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end()
    return
  }
  const path = (request.url ?? '/').split('?')[0]
  if (path === '/livez') return text(response, 200, 'ok')
  if (path === '/readyz') return ready(response, routes.notReady())
  if (path === '/health') return health(response, await routes.health())
  if (path === '/metrics') {
    const metrics = await routes.metrics()
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(metrics)
    return
  }
  text(response, 404, 'there are /metrics, /livez, /readyz and /health')
}

function ready(response: ServerResponse, reasons: readonly string[]): void {
  if (reasons.length === 0) text(response, 200, 'ok')
  else text(response, 503, reasons.join('\n'))
}

function health(response: ServerResponse, body: Readonly<Record<string, unknown>>): void {
  response.writeHead(body.status === 'fail' ? 503 : 200, { 'content-type': 'application/health+json' })
  response.end(`${JSON.stringify(body)}\n`)
}

function text(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${body}\n`)
}
