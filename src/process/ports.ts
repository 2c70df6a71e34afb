import { createServer } from 'node:net'
import { KpiError } from '../errors.ts'

const highestPort = 65_535
/** How many ports are tried after the preferred one. */
const maxTries = 200

/** Whether nothing listens on this port of the loopback interface. Port 0 is always free. */
export function isFree(port: number): Promise<boolean> {
  return probe(port).then((found) => found !== undefined)
}

/**
 * Returns the preferred port or the next free one above it; for 0, any free port.
 *
 * @param avoid - Ports reserved for others that may not listen yet.
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
 * Reserves ports, each only once, since some time passes between the reservation and listening. Ports are checked one
 * after the other, because a check occupies the port briefly.
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

  /** Whether the port was reserved here, so that it is not used by an unrelated program. */
  isPromised(port: number): boolean {
    return this.#promised.has(port)
  }
}

/** How many ports are tried for one part. */
const maxPlaces = 5

/** Another program may take the port between its choice and listening: then another port is chosen. */
export async function startAtFreePort<T>(start: () => Promise<T>): Promise<T> {
  for (let place = 1; ; place++) {
    try {
      return await start()
    } catch (error) {
      if (!(error instanceof KpiError && error.code === 'KPI_PORT_BUSY') || place === maxPlaces) throw error
    }
  }
}

/** Starts at the given port; without one (0 or undefined), at any free port. */
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

/** Listens briefly. @returns the port, or undefined when it is taken or not permitted. */
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
