import { writeFileSync } from 'node:fs'
import type { SerializedError } from 'vitest'
import type { Reporter, TestModule } from 'vitest/node'
import { type Counts, closingLine, summaryFileVariable } from './closing-line.ts'

/** Counts a test run: into the file that scripts/test.ts has named, else as a line at the end. */
export default class ClosingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    // What went wrong outside any test, in a file that does not load or a promise nobody awaited, is a failure too.
    const counts: Counts = { passed: 0, failed: unhandled.length, skipped: 0 }
    for (const module of modules) {
      counts.failed += module.errors().length
      for (const suite of module.children.allSuites()) counts.failed += suite.errors().length
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === 'passed') counts.passed++
        else if (state === 'failed') counts.failed++
        else counts.skipped++
      }
    }
    const file = process.env[summaryFileVariable]
    if (file) writeFileSync(file, JSON.stringify(counts))
    else process.stdout.write(`${closingLine(counts)}\n`)
  }
}
