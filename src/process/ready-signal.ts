import { type ErrorCode, errorCodes, type KpiError, messageOf } from '../errors.ts'

/** Sent by a supervised command to its supervisor when it is ready. */
export interface ReadyMessage {
  readonly type: 'ready'
  /** `http://127.0.0.1:PORT`, the address of its metrics and health endpoints. */
  readonly http?: string
}

export function isReadyMessage(message: unknown): message is ReadyMessage {
  if (typeof message !== 'object' || message === null) return false
  const { type, http } = message as Partial<ReadyMessage>
  return type === 'ready' && (http === undefined || typeof http === 'string')
}

/** Sent before the command ends with an error, so that the supervisor knows whether a restart can help. */
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

/** Sends the error with which this command ends to the supervisor, if there is one. */
export function announceFailure(error: KpiError): void {
  const message: FailedMessage = { type: 'failed', code: error.code, message: messageOf(error) }
  process.send?.(message, undefined, undefined, () => undefined)
}

/** Informs the supervisor, if there is one, that this command is ready. */
export function announceReady(http?: string): void {
  const message: ReadyMessage = { type: 'ready', ...(http === undefined ? {} : { http }) }
  process.send?.(message, undefined, undefined, () => undefined)
}

/**
 * Calls back once when the supervisor has gone without stopping this command (it was killed), so that the command can
 * exit by itself, as on SIGTERM. Without a supervisor it does nothing, and does not keep the process running.
 */
export function whenSupervisorGone(callback: () => void): void {
  if (!process.connected) return
  process.once('disconnect', callback)
  process.channel?.unref()
}
