import { fork } from 'node:child_process'
import { extname, join } from 'node:path'
import { KpiError } from '../errors.ts'

/**
 * Runs a part of the benchmark in its own process, so that it neither delays the measurement nor profits from the
 * warm-up of an earlier run. The process gets its job as one message, and answers with two: that it has begun, and
 * the result.
 */
export interface Job<Begun, Result> {
  readonly begun: Promise<Begun>
  readonly result: Promise<Result>
}

type Answer = { readonly begun: unknown } | { readonly result: unknown }

/**
 * @param program - The file of the program, relative to this folder.
 * @throws KpiError `KPI_CHILD_FAILED`, from both promises.
 */
export function startJob<Begun, Result>(
  program: 'throughput/raw-fetch-main' | 'live/paced-send-main',
  job: unknown,
): Job<Begun, Result> {
  const file = join(import.meta.dirname, `${program}${extname(import.meta.filename)}`)
  // The advanced serialization keeps typed arrays.
  const child = fork(file, { serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const begun = Promise.withResolvers<Begun>()
  const result = Promise.withResolvers<Result>()
  const failed = (error: unknown) => {
    begun.reject(error)
    result.reject(error)
  }
  child.on('message', (message) => {
    const answer = message as Answer
    if ('begun' in answer) begun.resolve(answer.begun as Begun)
    else result.resolve(answer.result as Result)
  })
  child.once('error', failed)
  child.once('exit', (code, signal) => {
    failed(new KpiError('KPI_CHILD_FAILED', `${program} ended with ${signal ?? code}`))
  })
  // The caller handles errors when it awaits the promises.
  begun.promise.catch(() => undefined)
  result.promise.catch(() => undefined)
  child.send({ job })
  return { begun: begun.promise, result: result.promise }
}

/** The other side: runs the job, sends the result, and exits; also when the benchmark exits. */
export function doJob<J, Begun, Result>(work: (job: J, begin: (begun: Begun) => void) => Promise<Result>): void {
  process.once('disconnect', () => process.exit(1))
  process.once('message', async (message) => {
    const result = await work((message as { job: J }).job, (begun) => process.send?.({ begun }))
    process.send?.({ result }, undefined, undefined, () => process.exit(0))
  })
}
