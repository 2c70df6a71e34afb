import { nodeFlags } from '../config/node-flags.ts'
import { KpiError } from '../errors.ts'
import { Child, type ChildExit } from '../process/child.ts'
import { type FailedMessage, isFailedMessage, isReadyMessage } from '../process/ready-signal.ts'
import { RotatingLog } from '../process/rotating-log.ts'
import type { RunRecords } from '../process/run-records.ts'
import { stopPlanOf } from '../process/stop-order.ts'
import type { Part, RunningPart } from '../process/supervisor.ts'
import { unlessAborted, within } from '../runtime/abort.ts'

export interface RunningCommand extends RunningPart {
  /** `http://127.0.0.1:PORT` for its metrics and health; undefined if it has none. */
  readonly http: string | undefined
}

export interface CommandPartOptions {
  /** The name of the part, of its log and of its record: `feed`, `worker-1`. */
  readonly name: string
  /** The file that runs the command line, bin/market-kpi.js. */
  readonly cliEntry: string
  /** The sub-command with its arguments. It is called at each start, because a port may no longer be free. */
  readonly args: () => Promise<readonly string[]>
  readonly env: NodeJS.ProcessEnv
  readonly logsDir: string
  readonly records?: RunRecords
  /** How long the command may take to report that it is ready. @defaultValue 60000 */
  readonly readyTimeoutMs?: number
}

const defaultReadyTimeoutMs = 60_000

/** Runs a `market-kpi` command as a child process, which sends a message when it is ready. */
export function commandPart(options: CommandPartOptions): Part<RunningCommand> {
  const { stage, deadlineMs } = stopPlanOf(options.name)
  return { name: options.name, stage, stopDeadlineMs: deadlineMs, start: (signal) => startCommand(options, signal) }
}

async function startCommand(options: CommandPartOptions, signal: AbortSignal): Promise<RunningCommand> {
  const { name, readyTimeoutMs = defaultReadyTimeoutMs } = options
  const args = await options.args()
  signal.throwIfAborted()
  const ready = Promise.withResolvers<string | undefined>()
  let failed: FailedMessage | undefined
  const child = await Child.start({
    name,
    command: process.execPath,
    // With the Node options of this process, like child_process.fork.
    args: [...nodeFlags(), options.cliEntry, ...args],
    env: options.env,
    ipc: (message) => {
      if (isReadyMessage(message)) ready.resolve(message.http)
      if (isFailedMessage(message)) failed = message
    },
    output: new RotatingLog({ logsDir: options.logsDir, name }),
    ...(options.records ? { records: options.records } : {}),
  })
  const first = Promise.race([ready.promise.then((http) => ({ http })), child.exited.then((exit) => ({ exit }))])
  const outcome = await unlessAborted(within(readyTimeoutMs, first), signal)
  if (outcome === undefined) {
    await child.stop([{ signal: 'SIGTERM', waitMs: stopPlanOf(name).deadlineMs }])
    signal.throwIfAborted()
    throw new KpiError('KPI_CHILD_FAILED', `${name} was not ready within ${readyTimeoutMs / 1000} s: see its log`)
  }
  const failure = (exit: ChildExit) => failureOfCommand(child, exit, failed)
  if ('exit' in outcome) throw failure(outcome.exit)
  return runningCommand(child, outcome.http, failure)
}

/** The error that ended the command: the one that it sent, otherwise one made from its exit and its last line. */
function failureOfCommand(child: Child, exit: ChildExit, failed: FailedMessage | undefined): KpiError {
  if (failed === undefined || exit.signal !== null) return child.failure(exit)
  return new KpiError(failed.code, `${child.name} ended with code ${exit.code}: ${failed.message}`)
}

function runningCommand(
  child: Child,
  http: string | undefined,
  failure: (exit: ChildExit) => KpiError,
): RunningCommand {
  let stopping: Promise<ChildExit> | undefined
  return {
    pid: child.pid,
    http,
    exited: child.exited,
    stop: async (deadlineMs) => {
      stopping ??= child.stop([{ signal: 'SIGTERM', waitMs: deadlineMs }])
      await stopping
    },
    kill: () => child.signal('SIGKILL'),
    failure,
  }
}
