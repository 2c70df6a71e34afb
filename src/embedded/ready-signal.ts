/** What a command that runs under a supervisor tells it once it does its work. */
export interface ReadyMessage {
  readonly type: 'ready'
  /** `http://127.0.0.1:PORT` of its metrics and health. */
  readonly http?: string
}

export function isReadyMessage(message: unknown): message is ReadyMessage {
  if (typeof message !== 'object' || message === null) return false
  const { type, http } = message as Partial<ReadyMessage>
  return type === 'ready' && (http === undefined || typeof http === 'string')
}

/** Tells the supervisor, when there is one, that this command does its work now. */
export function announceReady(http?: string): void {
  const message: ReadyMessage = { type: 'ready', ...(http === undefined ? {} : { http }) }
  process.send?.(message, undefined, undefined, () => undefined)
}

/**
 * Calls back once when the supervisor has gone without stopping this command (it was killed), so that the command can
 * end by itself, as on SIGTERM. Does nothing, and holds no process open, where there is no supervisor.
 */
export function whenSupervisorGone(callback: () => void): void {
  if (!process.connected) return
  process.once('disconnect', callback)
  process.channel?.unref()
}
