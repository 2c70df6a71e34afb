/**
 * npm forwards the terminal's Ctrl-C to a child that has already received it from the terminal, so one keystroke may
 * arrive twice. Only a signal that comes later than this counts as a second request.
 */
const sameKeystrokeMs = 1000

const stopSignals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/**
 * The user's request to stop, from signals to this process: the first one stops gracefully, a later one immediately.
 */
export interface StopRequest {
  readonly stop: AbortSignal
  readonly forceStop: AbortSignal
  /** Stops handling the signals. */
  release(): void
}

/** @param told - Called at the first signal, and again at a later second one. */
export function listenForStop(told: (stopRequest: 'stop' | 'forceStop', signal: NodeJS.Signals) => void): StopRequest {
  const stop = new AbortController()
  const forceStop = new AbortController()
  let firstAtMs = 0
  const onSignal = (signal: NodeJS.Signals) => {
    if (!stop.signal.aborted) {
      firstAtMs = performance.now()
      told('stop', signal)
      stop.abort()
    } else if (!forceStop.signal.aborted && performance.now() - firstAtMs > sameKeystrokeMs) {
      told('forceStop', signal)
      forceStop.abort()
    }
  }
  for (const signal of stopSignals) process.on(signal, onSignal)
  const release = () => {
    for (const signal of stopSignals) process.off(signal, onSignal)
  }
  return { stop: stop.signal, forceStop: forceStop.signal, release }
}
