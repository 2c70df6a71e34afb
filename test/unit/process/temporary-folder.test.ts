import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { runScript } from './test-processes.ts'

const source = JSON.stringify(join(import.meta.dirname, '../../../src/process/temporary-folder.ts'))

/** A process with a temporary folder: prints where it is, then does as told. */
function program(ending: string) {
  return runScript(`
    import { writeFileSync } from 'node:fs'
    import { exitOnSignals, makeTemporaryFolder } from ${source}
    exitOnSignals()
    const folder = makeTemporaryFolder('market-kpi-test-')
    writeFileSync(folder + '/file', 'x')
    console.log(folder)
    ${ending}`)
}

it.each<[string, string, NodeJS.Signals[], number]>([
  ['Ctrl-C', 'setInterval(() => {}, 1000)', ['SIGINT'], 130],
  ['a second Ctrl-C', 'setInterval(() => {}, 1000)', ['SIGINT', 'SIGINT'], 130],
  ['SIGTERM', 'setInterval(() => {}, 1000)', ['SIGTERM'], 143],
  ['a terminal that closes', 'setInterval(() => {}, 1000)', ['SIGHUP'], 129],
  ['an error', `throw new Error('a bug')`, [], 1],
  ['process.exit', 'process.exit(7)', [], 7],
  ['its last line', 'process.stdin.destroy()', [], 0],
])('is gone after %s', async (_, ending, signals, code) => {
  await using run = await program(ending)
  const ended = new Promise((resolve) => run.process.once('close', resolve))
  for (const signal of signals) run.process.kill(signal)
  expect(run.process.exitCode ?? (await ended)).toBe(code)
  expect(existsSync(run.said)).toBe(false)
})
