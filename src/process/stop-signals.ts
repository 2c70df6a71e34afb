/**
 * npm passes the terminal's Ctrl-C on to a child that the terminal has told already, so one keystroke may arrive
 * twice: only one that comes later than this is the user's impatience.
 */
const sameKeystrokeMs = 1000

const stopSignals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** The user's wish to stop, from signals to this process: the first asks for a graceful end, a later one for a fast one. */
export interface StopRequest {
  readonly stop: AbortSignal
  readonly forceStop: AbortSignal
  /** Gives the signals back. */
  release(): void
}

/** @param told - Called at the first signal and at the impatient one. */
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
