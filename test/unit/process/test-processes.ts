import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { assert } from '../../../src/errors.ts'

/** A process of a test's own, killed at the end of its scope. */
export interface TestProcess {
  readonly pid: number
  /** Its first output. */
  readonly said: string
  readonly ended: Promise<unknown>
  readonly process: ChildProcess
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Runs a JavaScript text in a Node of its own and returns once it wrote its first output. It ends with its standard
 * input, so that none outlives a test run that was killed.
 */
export async function runScript(script: string, env: NodeJS.ProcessEnv = {}): Promise<TestProcess> {
  const child = spawn(
    process.execPath,
    ['--input-type=module', '--eval', `process.stdin.on('close', () => process.exit()).resume()\n${script}`],
    {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  const ended = once(child, 'exit')
  assert(child.pid !== undefined, 'node starts')
  const said = await Promise.race([once(child.stdout, 'data').then(String), ended.then(() => '')])
  return {
    pid: child.pid,
    said: said.trim(),
    ended,
    process: child,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await ended
    },
  }
}

export const idle = `console.log('up')`
/** Notes each signal in the file NOTES, and does not end by them. */
export const stubborn = `
import { appendFileSync } from 'node:fs'
for (const name of ['SIGTERM', 'SIGINT']) process.on(name, () => appendFileSync(process.env.NOTES, name + '\\n'))
console.log('up')`
/** Notes the first signal in the file NOTES, with its own NAME, and ends by it. */
export const obedient = `
import { appendFileSync } from 'node:fs'
for (const name of ['SIGTERM', 'SIGINT']) process.on(name, () => {
  appendFileSync(process.env.NOTES, process.env.NAME + ' ' + name + '\\n')
  process.exit()
})
console.log('up')`
