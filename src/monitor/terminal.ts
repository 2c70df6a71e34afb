// The terminal as a screen: taken over at the beginning, given back at every end.
//   Ctrl-Z, SIGTSTP   gives it back, and stops the process; SIGCONT takes it again and draws anew
//   q, Ctrl-C         ends it
//   an exception      gives it back first, so that its stack stands where people see it
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

function Screen(props: Omit<AppProps, 'suspend'>): ReactNode {
  const suspend = useJobControl()
  return h(App, { ...props, suspend })
}

/** @returns What Ctrl-Z does. */
function useJobControl(): () => void {
  const { suspendTerminal } = useApp()
  const away = useRef(false)
  /** The terminal is given back before anybody stops: the shell takes it at that moment, and it must be as it was. */
  const leave = (stop: () => void) => {
    if (away.current) return
    away.current = true
    void suspendTerminal(() => stopped(stop)).finally(() => {
      away.current = false
    })
  }
  const onStop = useEffectEvent(() => leave(() => process.kill(process.pid, 'SIGSTOP')))
  // Stopped by SIGSTOP, it could not give the terminal back, and the shell has changed its modes since.
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

/** Ctrl-Z stops all processes of the job, the one that started us among them: the shell waits for that one. */
function stopGroup(): void {
  const listeners = process.listeners('SIGTSTP')
  // Without a listener the signal does what it does by itself.
  process.removeAllListeners('SIGTSTP')
  process.kill(0, 'SIGTSTP')
  for (const listener of listeners) process.on('SIGTSTP', listener)
}

/** Where no shell could ever continue it, the system lets nothing be stopped. */
const stopTimeoutMs = 300

/** Until it is continued: a timer that ran out meanwhile is late by as long as it was stopped. */
async function stopped(stop: () => void): Promise<void> {
  stop()
  await delay(stopTimeoutMs)
}
