import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { KpiError } from '../../../src/errors.ts'
import { choosePort, isFree, PortBook, startAtFreePort } from '../../../src/process/ports.ts'

/** Listens on a port of loopback, or of all interfaces. */
async function occupy(port = 0, host = '127.0.0.1') {
  const server = createServer().listen({ port, host })
  await once(server, 'listening')
  const close = async () => {
    server.close()
    await once(server, 'close')
  }
  return { port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: close }
}

/** A port that was free a moment ago, with a free one above it. */
async function freePair(): Promise<number> {
  for (;;) {
    const port = await choosePort(0)
    if (port < 65_000 && (await isFree(port + 1))) return port
  }
}

describe('choosePort', () => {
  it('takes the wanted one when it is free', async () => {
    const port = await freePair()
    expect(await choosePort(port)).toBe(port)
  })

  it.each(['127.0.0.1', '0.0.0.0'])('takes the next free one when %s holds it', async (host) => {
    await using taken = await occupy(await freePair(), host)
    expect(await isFree(taken.port)).toBe(false)
    const chosen = await choosePort(taken.port)
    expect(chosen).toBeGreaterThan(taken.port)
    expect(await isFree(chosen)).toBe(true)
  })

  it('passes over what was promised to others', async () => {
    const port = await freePair()
    expect(await choosePort(port, new Set([port]))).toBeGreaterThan(port)
  })

  it('takes any for 0', async () => {
    const port = await choosePort(0)
    expect(port).toBeGreaterThan(1023)
    expect(await isFree(port)).toBe(true)
  })

  it('says which are taken when none is left', async () => {
    const all = new Set(Array.from({ length: 65_536 }, (_, port) => port))
    await expect(choosePort(19_092, all)).rejects.toMatchObject({
      code: 'KPI_PORT_BUSY',
      message: 'ports 19092 to 19291 are all taken: name a free one, or 0 for any',
    })
    await expect(choosePort(65_500, all)).rejects.toThrow('ports 65500 to 65535 are all taken')
    await expect(choosePort(0, all)).rejects.toMatchObject({ code: 'KPI_PORT_BUSY' })
  })
})

describe('PortBook', () => {
  it('promises no port twice, even when asked for the same one at once', async () => {
    const book = new PortBook()
    const preferred = await freePair()
    const ports = await Promise.all(Array.from({ length: 8 }, () => book.choose(preferred)))
    expect(new Set(ports).size).toBe(8)
    expect(ports).toContain(preferred)
  })

  it('knows which it promised', async () => {
    await using taken = await occupy(await freePair())
    const book = new PortBook()
    const port = await book.choose(taken.port)
    expect([book.isPromised(taken.port), book.isPromised(port)]).toEqual([false, true])
  })

  it('goes on after it found none', async () => {
    const book = new PortBook()
    await expect(book.choose(70_000)).rejects.toMatchObject({ code: 'KPI_PORT_BUSY' })
    expect(await book.choose(0)).toBeGreaterThan(0)
  })

  it('promises no port twice of any', async () => {
    const book = new PortBook()
    const ports = await Promise.all(Array.from({ length: 20 }, () => book.choose(0)))
    expect(new Set(ports).size).toBe(20)
  })
})

describe('startAtFreePort', () => {
  const busy = () => new KpiError('KPI_PORT_BUSY', 'somebody was faster')

  it('tries other places, a few', async () => {
    let tries = 0
    const start = async () => {
      tries++
      if (tries < 5) throw busy()
      return 'started'
    }
    expect(await startAtFreePort(start)).toBe('started')
    await expect(startAtFreePort(() => Promise.reject<void>(busy()))).rejects.toThrow('somebody was faster')
  })

  it('throws any other failure at once', async () => {
    let tries = 0
    const start = () => {
      tries++
      return Promise.reject<void>(new KpiError('KPI_DISK_FULL', 'full'))
    }
    await expect(startAtFreePort(start)).rejects.toThrow('full')
    expect(tries).toBe(1)
  })
})
