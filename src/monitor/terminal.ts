// Shows the monitor on the terminal's alternate screen, and restores the terminal at every exit.
//   Ctrl-Z, SIGTSTP   restores the terminal and stops the process; SIGCONT shows the monitor again
//   q, Ctrl-C         exits
//   an exception      restores the terminal first, so that its stack trace remains visible
import { setTimeout as delay } from 'node:timers/promises'
import { render, useApp } from 'ink'
import { createElement as h, type ReactNode, useEffect, useEffectEvent, useRef } from 'react'
import { App, type AppProps } from './app.ts'
import type { MonitorPorts } from './monitor-ports.ts'
import { Refresher } from './refresher.ts'

export interface TerminalOptions {
  readonly intervalMs: number
  readonly hasColours: boolean
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  /** Ends the monitor. */
  readonly stop: AbortSignal
  /** Wall clock in milliseconds since 1970. */
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
  const props: Omit<AppProps, 'suspend'> = {
    data: () => refresher.data,
    subscribe: (changed) => {
      listeners.add(changed)
      return () => listeners.delete(changed)
    },
    clock: () => ({ wallMs: now(), steadyMs: steadyMs() }),
    setPaused: (isPaused) => refresher.setPaused(isPaused),
    refresh: () => refresher.refresh(),
    silence: ({ rule, labels }, seconds) => ports.alerts.silence({ rule, labels }, seconds),
    hasColours,
  }
  const screen = render(h(Screen, props), {
    stdin,
    stdout,
    alternateScreen: true,
    // The caller has checked that stdout is a terminal. Ink's own detection would also disable this in CI.
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

function Screen(props: Omit<AppProps, 'suspend'>): ReactNode {
  const suspend = useJobControl()
  return h(App, { ...props, suspend })
}

/** @returns The handler of Ctrl-Z. */
function useJobControl(): () => void {
  const { suspendTerminal } = useApp()
  const away = useRef(false)
  /** Restores the terminal before the process is stopped, because the shell uses it from that moment on. */
  const leave = (stop: () => void) => {
    if (away.current) return
    away.current = true
    void suspendTerminal(() => stopped(stop)).finally(() => {
      away.current = false
    })
  }
  const onStop = useEffectEvent(() => leave(() => process.kill(process.pid, 'SIGSTOP')))
  // After SIGSTOP, which cannot be handled, the terminal was not restored, and the shell has changed its modes
  // meanwhile.
  const onContinue = useEffectEvent(() => leave(() => undefined))
  useEffect(() => {
    const [stop, goOn] = [() => onStop(), () => onContinue()]
    process.on('SIGTSTP', stop)
    process.on('SIGCONT', goOn)
    return () => {
      process.off('SIGTSTP', stop)
      process.off('SIGCONT', goOn)
    }
  }, [])
  return () => process.platform !== 'win32' && leave(stopGroup)
}

/** Ctrl-Z stops all processes of the job, including the one that started this process, which the shell waits for. */
function stopGroup(): void {
  const listeners = process.listeners('SIGTSTP')
  // Without a listener the signal has its default effect: it stops the process.
  process.removeAllListeners('SIGTSTP')
  process.kill(0, 'SIGTSTP')
  for (const listener of listeners) process.on('SIGTSTP', listener)
}

/** How long to wait for the stop: the system ignores SIGTSTP if no shell could continue the process. */
const stopTimeoutMs = 300

/** Resolves after the process was continued: the timer does not fire while the process is stopped. */
async function stopped(stop: () => void): Promise<void> {
  stop()
  await delay(stopTimeoutMs)
}
