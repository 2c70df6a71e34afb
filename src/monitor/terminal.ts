// The terminal as a screen: taken over at the beginning, given back at every end.
//   Ctrl-Z, SIGTSTP   gives it back, and stops the process; SIGCONT takes it again and draws anew
//   q, Ctrl-C         ends it
//   an exception      gives it back first, so that its stack stands where people see it
import { once } from 'node:events'
import { render, useApp } from 'ink'
import { createElement as h, type ReactNode, useEffect } from 'react'
import { App, type AppProps } from './app.ts'
import type { MonitorPorts } from './monitor-ports.ts'
import { Refresher } from './refresher.ts'

export interface TerminalOptions {
  readonly intervalMs: number
  readonly hasColours: boolean
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  /** Ends it. */
  readonly stop: AbortSignal
  /** Wall clock in milliseconds. */
  readonly now: () => number
}

/** Shows the pipeline until the user quits or `stop` is aborted. */
export async function runTerminal(ports: MonitorPorts, options: TerminalOptions): Promise<void> {
  const { stdin, stdout, stop, now, intervalMs, hasColours } = options
  const steadyMs = () => performance.now()
  const listeners = new Set<() => void>()
  const tellAll = () => {
    for (const changed of listeners) changed()
  }
  const refresher = new Refresher(ports, { intervalMs, steadyMs, onChange: tellAll })
  const props: AppProps = {
    data: () => refresher.data,
    subscribe: (changed) => {
      listeners.add(changed)
      return () => listeners.delete(changed)
    },
    clock: () => ({ wallMs: now(), steadyMs: steadyMs() }),
    setPaused: (isPaused) => refresher.setPaused(isPaused),
    refresh: () => refresher.refresh(),
    silence: ({ rule, labels }, seconds) => ports.alerts.silence({ rule, labels }, seconds),
    suspend: stopGroup,
    hasColours,
  }
  const screen = render(h(Screen, props), {
    stdin,
    stdout,
    alternateScreen: true,
    // It was asked whether this is a terminal; what else runs in it does not matter.
    interactive: true,
    exitOnCtrlC: false,
    incrementalRendering: true,
    maxFps: 20,
  })
  const giveBack = () => screen.unmount()
  process.prependListener('uncaughtExceptionMonitor', giveBack)
  stop.addEventListener('abort', giveBack, { once: true })
  refresher.start()
  try {
    if (stop.aborted) giveBack()
    await screen.waitUntilExit()
  } finally {
    process.off('uncaughtExceptionMonitor', giveBack)
    stop.removeEventListener('abort', giveBack)
    await refresher.stop()
  }
}

/** Ctrl-Z stops all processes of the job, the one that started us among them: the shell waits for that one. */
function stopGroup(): void {
  if (process.platform !== 'win32') process.kill(0, 'SIGTSTP')
}

function Screen(props: AppProps): ReactNode {
  useJobControl()
  return h(App, props)
}

function useJobControl(): void {
  const { suspendTerminal } = useApp()
  useEffect(() => {
    let isAway = false
    const away = async (leave: () => Promise<unknown>) => {
      if (isAway) return
      isAway = true
      await suspendTerminal(async () => {
        await leave()
      })
      isAway = false
    }
    const onStop = () =>
      void away(() => {
        const continued = once(process, 'SIGCONT')
        process.kill(process.pid, 'SIGSTOP')
        return continued
      })
    // Stopped by SIGSTOP, it could not give the terminal back, and the shell has changed its modes since.
    const onContinue = () => void away(async () => undefined)
    process.on('SIGTSTP', onStop)
    process.on('SIGCONT', onContinue)
    return () => {
      process.off('SIGTSTP', onStop)
      process.off('SIGCONT', onContinue)
    }
  }, [suspendTerminal])
}
