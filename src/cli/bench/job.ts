import { fork } from 'node:child_process'
import { extname, join } from 'node:path'
import { KpiError } from '../../errors.ts'

/**
 * A part of the benchmark in a process of its own, so that it neither delays the measuring nor is warmed up by an earlier
 * run. It gets its job as one message, may say that it has started, and answers with one message.
 */
export interface Job<R> {
  readonly result: Promise<R>
}

/** Named by its file beside this one. @throws KpiError `KPI_CHILD_FAILED`, by `result`. */
export function startJob<R>(name: 'raw-fetch-main' | 'paced-send-main', job: unknown): Job<R> {
  const file = join(import.meta.dirname, `${name}${extname(import.meta.filename)}`)
  // Typed arrays keep their types on the way.
  const child = fork(file, { serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const result = new Promise<R>((resolve, reject) => {
    child.once('message', (message) => resolve(message as R))
    child.once('error', reject)
    child.once('exit', (code, signal) =>
      reject(new KpiError('KPI_CHILD_FAILED', `${name} ended with ${signal ?? code}`)),
    )
  })
  result.catch(() => undefined) // told to whoever awaits it
  child.send({ job })
  return { result }
}

/** The other side: does the job, answers, and ends; also when the benchmark goes. */
export function doJob<J, R>(work: (job: J) => Promise<R>): void {
  process.once('disconnect', () => process.exit(1))
  process.once('message', async (message) => {
    const result = await work((message as { job: J }).job)
    process.send?.(result, undefined, undefined, () => process.exit(0))
  })
}
