// What `npm test` says in its last line, and ends with, of small projects whose tests fare in every way there is.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { root } from './tracked-files.ts'

let project: string

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'market-kpi-closing-'))
})

afterEach(() => rmSync(project, { recursive: true, force: true }))

/** Runs a project of one test file; `config` is more of its vitest settings, as code. */
function runTests(given: { tests: string; config?: string; ci?: boolean }) {
  const reporter = JSON.stringify(join(root, 'scripts', 'closing-reporter.ts'))
  const settings = `globals: true, reporters: [${reporter}], allowOnly: !process.env.CI, ${given.config ?? ''}`
  writeFileSync(join(project, 'vitest.config.mjs'), `export default { test: { ${settings} } }\n`)
  writeFileSync(join(project, 'a.test.mjs'), given.tests)
  const { CI: _, ...env } = process.env
  const { status, stdout } = spawnSync(process.execPath, [join(root, 'scripts', 'test.ts'), '--root', project], {
    encoding: 'utf8',
    env: given.ci ? { ...env, CI: 'true' } : env,
  })
  return { line: stdout.trimEnd().split('\n').at(-1), isGood: status === 0 }
}

const good = "it('good', () => {})\n"
const bad = "it('bad', () => { throw new Error('bad') })\n"
const left = "it.skip('left', () => {})\n"

it('counts what passed', () => {
  expect(runTests({ tests: good + good })).toEqual({ line: '2 passed, 0 failed', isGood: true })
})

it('counts what failed', () => {
  expect(runTests({ tests: good + bad })).toEqual({ line: '1 passed, 1 failed', isGood: false })
})

it('names what was skipped', () => {
  expect(runTests({ tests: good + left })).toEqual({ line: '1 passed, 0 failed, 1 skipped', isGood: true })
})

it('fails in CI when something was skipped', () => {
  expect(runTests({ tests: good + left, ci: true })).toEqual({ line: '1 passed, 0 failed, 1 skipped', isGood: false })
})

it('fails in CI when a test was singled out', () => {
  const { line, isGood } = runTests({ tests: "it.only('one', () => {})\n", ci: true })
  expect(isGood).toBe(false)
  expect(line).toBe('0 passed, 1 failed')
})

it('counts a promise that nobody awaited as a failure', () => {
  const tests = "it('good', async () => { void Promise.reject(new Error('lost')); await new Promise(setImmediate) })\n"
  expect(runTests({ tests })).toEqual({ line: '1 passed, 1 failed', isGood: false })
})

it('counts a file that does not load as a failure', () => {
  expect(runTests({ tests: "import './nowhere.mjs'\n" })).toEqual({ line: '0 passed, 1 failed', isGood: false })
})

it('counts a hook that failed', () => {
  const { isGood, line } = runTests({ tests: `afterAll(() => { throw new Error('late') })\n${good}` })
  expect({ isGood, line }).toEqual({ line: '1 passed, 1 failed', isGood: false })
})

it('fails when there is no test', () => {
  expect(runTests({ tests: good, config: "include: ['none']" })).toEqual({ line: '0 passed, 1 failed', isGood: false })
})

it('fails when a set-up of all tests failed', () => {
  writeFileSync(join(project, 'setup.mjs'), "export default () => { throw new Error('no broker') }\n")
  const { isGood, line } = runTests({ tests: good, config: "globalSetup: ['./setup.mjs']" })
  expect({ isGood, line }).toEqual({ line: '0 passed, 1 failed', isGood: false })
})

it('fails when vitest breaks down', () => {
  const { isGood, line } = runTests({ tests: good, config: '...process.exit(0)' })
  expect({ isGood, line }).toEqual({ line: '0 passed, 1 failed', isGood: false })
})
