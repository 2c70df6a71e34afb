import { spawn } from 'node:child_process'
import type { Command } from 'commander'
import { nodeFlags } from '../config/node-flags.ts'
import { placeVariable } from '../config/place.ts'
import { KpiError } from '../errors.ts'
import type { Logger } from '../log.ts'
import { cliEntry } from '../process/cli-entry.ts'
import { isReadyMessage } from '../process/ready-signal.ts'
import type { StopRequest } from '../process/stop-signals.ts'
import { type Part, type RunningPart, Supervisor } from '../process/supervisor.ts'
import { aborted, unlessAborted, within } from '../runtime/abort.ts'
import { systemClock } from '../runtime/clock.ts'

const stopDeadlineMs = 6000

/**
 * `consume --workers N`: runs N processes with one worker each, since one process uses one core. They share this
 * terminal; a process that dies is restarted, as under `up`.
 *
 * @throws KpiError when a process cannot be started the first time.
 */
export async function runWorkerProcesses(
  options: { command: Command; workers: number; httpPort: number | undefined; log: Logger },
  stopRequest: StopRequest,
): Promise<void> {
  const { workers, httpPort, log } = options
  const supervisor = new Supervisor({ clock: systemClock, log })
  const forceStop = () => supervisor.forceStop()
  stopRequest.forceStop.addEventListener('abort', forceStop)
  try {
    const starts = Array.from({ length: workers }, (_, index) => {
      const port = httpPort === undefined ? undefined : httpPort === 0 ? 0 : httpPort + index
      return supervisor.start(workerPart(index, argumentsFor(options.command, port), httpPort === 0))
    })
    await unlessAborted(Promise.all(starts), stopRequest.stop)
    await aborted(stopRequest.stop)
  } finally {
    await supervisor.stop(stopDeadlineMs)
    stopRequest.forceStop.removeEventListener('abort', forceStop)
  }
}

/** The arguments of this command, for one worker. */
function argumentsFor(command: Command, httpPort: number | undefined): string[] {
  const own = new Set(['workers', 'httpPort'])
  const given = command.options.filter(
    (option) => !own.has(option.attributeName()) && command.getOptionValueSource(option.attributeName()) === 'cli',
  )
  const args = given.flatMap((option) => [option.long ?? '', String(command.getOptionValue(option.attributeName()))])
  return ['consume', ...args, ...(httpPort === undefined ? [] : ['--http-port', String(httpPort)])]
}

/** @param isNamed - Whether the port is fixed: only then is a worker recognised as the same one after a restart. */
function workerPart(index: number, args: readonly string[], isNamed: boolean): Part {
  const name = `worker-${index + 1}`
  const env = isNamed ? { ...process.env, [placeVariable]: `${process.cwd()} ${name}` } : process.env
  return { name, stage: 0, stopDeadlineMs, start: (signal) => startWorker({ name, args, env }, signal) }
}

function startWorker(
  { name, args, env }: { readonly name: string; readonly args: readonly string[]; readonly env: NodeJS.ProcessEnv },
  signal: AbortSignal,
): Promise<RunningPart> {
  const child = spawn(process.execPath, [...nodeFlags(), cliEntry, ...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env,
    // Ctrl-C in the terminal then reaches only this process, which stops its workers in order.
    detached: true,
  })
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('exit', (code, by) => resolve({ code, signal: by }))
    child.once('error', () => resolve({ code: 1, signal: null }))
  })
  const failure = (exit: Awaited<typeof exited>) =>
    new KpiError('KPI_CHILD_FAILED', `${name} ended ${exit.signal ? `by ${exit.signal}` : `with code ${exit.code}`}`)
  const end = () => child.kill('SIGTERM')
  signal.addEventListener('abort', end, { once: true })
  const running: RunningPart = {
    pid: child.pid ?? -1,
    exited,
    stop: async (deadlineMs) => {
      end()
      await within(deadlineMs, exited)
      child.kill('SIGKILL')
      await exited
    },
    kill: () => child.kill('SIGKILL'),
    failure,
  }
  return new Promise((resolve, reject) => {
    child.on('message', (message) => {
      if (isReadyMessage(message)) resolve(running)
    })
    exited.then((exit) => reject(failure(exit)))
  })
}
