import { createServer } from 'node:net'
import { KpiError } from '../errors.ts'

const highestPort = 65_535
/** How far the search goes beyond the preferred port. */
const maxTries = 200

/** Whether nothing listens on this port of the loopback interface. Port 0 always is free. */
export function isFree(port: number): Promise<boolean> {
  return probe(port).then((found) => found !== undefined)
}

/**
 * The preferred port, else the next free one above it; 0 takes any.
 *
 * @param avoid - Ports promised to others that may not listen yet.
 * @throws KpiError `KPI_PORT_BUSY` when the next 200 are taken too.
 */
export async function choosePort(preferred: number, avoid: ReadonlySet<number> = new Set()): Promise<number> {
  if (preferred === 0) return anyPort(avoid)
  const last = Math.min(preferred + maxTries - 1, highestPort)
  for (let port = preferred; port <= last; port++) {
    if (!avoid.has(port) && (await isFree(port))) return port
  }
  throw new KpiError('KPI_PORT_BUSY', `ports ${preferred} to ${last} are all taken: name a free one, or 0 for any`)
}

/**
 * Hands out ports, none twice: between the promise and the listening there is a while. One after the other, since a
 * look at a port takes it for an instant.
 */
export class PortBook {
  readonly #promised = new Set<number>()
  #last: Promise<unknown> = Promise.resolve()

  /** As {@link choosePort}. */
  choose(preferred: number): Promise<number> {
    const chosen = this.#last.then(() => choosePort(preferred, this.#promised))
    this.#last = chosen.then(
      (port) => this.#promised.add(port),
      () => undefined,
    )
    return chosen
  }

  /** Whether it was handed out here, so that it is no stranger who has it. */
  isPromised(port: number): boolean {
    return this.#promised.has(port)
  }
}

/** How many places a part is tried at. */
const maxPlaces = 5

/** Between the choice of a port and the listening somebody else may take it: then another is chosen. */
export async function startAtFreePort<T>(start: () => Promise<T>): Promise<T> {
  for (let place = 1; ; place++) {
    try {
      return await start()
    } catch (error) {
      if (!(error instanceof KpiError && error.code === 'KPI_PORT_BUSY') || place === maxPlaces) throw error
    }
  }
}

/** At the port that was named, else (0, undefined) at any free one. */
export async function startAtPort<T>(named: number | undefined, start: (port: number) => Promise<T>): Promise<T> {
  return named ? start(named) : startAtFreePort(async () => start(await choosePort(0)))
}

async function anyPort(avoid: ReadonlySet<number>): Promise<number> {
  for (let tries = 0; tries < maxTries; tries++) {
    const port = await probe(0)
    if (port !== undefined && !avoid.has(port)) return port
  }
  throw new KpiError('KPI_PORT_BUSY', 'the system has no free port left')
}

/** Listens for an instant. @returns the port it got, undefined when it is taken or may not be had. */
function probe(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address()
      const got = typeof address === 'object' && address !== null ? address.port : port
      server.close(() => resolve(got))
    })
  })
}
