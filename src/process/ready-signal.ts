import { type ErrorCode, errorCodes, type KpiError, messageOf } from '../errors.ts'

/** What a command that runs under a supervisor sends it once it does its work. */
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

/** What it sends when it ends on an error, so that the supervisor knows whether another start can help. */
export interface FailedMessage {
  readonly type: 'failed'
  readonly code: ErrorCode
  readonly message: string
}

export function isFailedMessage(message: unknown): message is FailedMessage {
  if (typeof message !== 'object' || message === null) return false
  const { type, code, message: text } = message as Partial<FailedMessage>
  return type === 'failed' && code !== undefined && Object.hasOwn(errorCodes, code) && typeof text === 'string'
}

/** Sends the supervisor, when there is one, the error that this command ends on. */
export function announceFailure(error: KpiError): void {
  const message: FailedMessage = { type: 'failed', code: error.code, message: messageOf(error) }
  process.send?.(message, undefined, undefined, () => undefined)
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
