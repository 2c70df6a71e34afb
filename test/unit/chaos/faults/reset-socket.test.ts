import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect, it } from 'vitest'
import { resetSocket } from '../../../chaos/faults/reset-socket.ts'

/** Both ends of a connection. */
async function connected(): Promise<[Socket, Socket]> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [[far]] = (await Promise.all([once(server, 'connection'), once(near, 'connect')])) as [[Socket], unknown]
  server.close()
  return [near, far]
}

it('an open connection is reset', async () => {
  const [near, far] = await connected()
  const error = once(far, 'error')
  resetSocket(near)
  expect(await error).toMatchObject([{ code: 'ECONNRESET' }])
  expect(near.destroyed).toBe(true)
})

it('a connection that shuts down is closed', async () => {
  const [near, far] = await connected()
  const errors: unknown[] = []
  near.on('error', (error) => errors.push(error))
  const closed = once(near, 'close')
  near.end()
  resetSocket(near)
  await closed
  far.destroy()
  expect(errors).toEqual([])
})
