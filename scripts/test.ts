// Runs the tests and ends with a line `N passed, N failed`, also when vitest itself broke down. In CI nothing may be
// skipped: a test that did not run has not passed.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runChild } from '../bin/run-child.js'
import { type Counts, closingLine, summaryFileVariable } from './closing-line.ts'

const root = join(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'market-kpi-test-'))
const summary = join(folder, 'summary.json')
try {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const env = { ...process.env, [summaryFileVariable]: summary }
  const code = await runChild(process.execPath, [vitest, 'run', ...process.argv.slice(2)], { cwd: root, env })
  const counts = readCounts(code)
  if (process.env.CI && counts.skipped > 0) process.stdout.write('nothing may be skipped in CI\n')
  const isGood = code === 0 && counts.failed === 0 && !(process.env.CI && counts.skipped > 0)
  process.exitCode = isGood ? 0 : code || 1
  process.stdout.write(`${closingLine(counts)}\n`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function readCounts(code: number): Counts {
  try {
    const counts = JSON.parse(readFileSync(summary, 'utf8')) as Counts
    // vitest's own failures, such as a set-up that threw, are in its exit code only.
    return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts
  } catch {
    return { passed: 0, failed: 1, skipped: 0 }
  }
}
