import type { Socket } from 'node:net'

/**
 * Resets a connection, or closes it where a reset would do harm: a socket that is reset while it shuts down is never
 * closed by Node 24.21 (libuv answers EINVAL), and the process spins in its own clean-up when it should end.
 */
export function resetSocket(socket: Socket): void {
  const mayShutDown = socket.writableEnded && !socket.writableFinished
  if (mayShutDown) socket.destroy()
  else socket.resetAndDestroy()
}
