import { fork } from 'node:child_process'
import { extname, join } from 'node:path'
import { KpiError } from '../errors.ts'

/**
 * A part of the benchmark in a process of its own, so that it neither delays the measuring nor is warmed up by an earlier
 * run. It gets its job as one message, and answers with two: that it begins, and what came of it.
 */
export interface Job<Begun, Result> {
  readonly begun: Promise<Begun>
  readonly result: Promise<Result>
}

type Answer = { readonly begun: unknown } | { readonly result: unknown }

/** The program is named by its file, relative to this folder. @throws KpiError `KPI_CHILD_FAILED`, by both promises. */
export function startJob<Begun, Result>(
  program: 'throughput/raw-fetch-main' | 'live/paced-send-main',
  job: unknown,
): Job<Begun, Result> {
  const file = join(import.meta.dirname, `${program}${extname(import.meta.filename)}`)
  // Typed arrays keep their types on the way.
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
  // Told to whoever awaits them.
  begun.promise.catch(() => undefined)
  result.promise.catch(() => undefined)
  child.send({ job })
  return { begun: begun.promise, result: result.promise }
}

/** The other side: does the job, answers, and ends; also when the benchmark goes. */
export function doJob<J, Begun, Result>(work: (job: J, begin: (begun: Begun) => void) => Promise<Result>): void {
  process.once('disconnect', () => process.exit(1))
  process.once('message', async (message) => {
    const result = await work((message as { job: J }).job, (begun) => process.send?.({ begun }))
    process.send?.({ result }, undefined, undefined, () => process.exit(0))
  })
}
