import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'vitest'

/** Debian's package `prometheus` has it; CI has the package, a developer may not. */
export function needPromtool(context: TestContext): void {
  if (process.env.CI || spawnSync('promtool', ['--version'], { stdio: 'ignore' }).status === 0) return
  context.skip('promtool is not installed')
}

export interface Verdict {
  readonly ok: boolean
  /** All that it said. */
  readonly said: string
}

/**
 * `promtool ARGS` in a folder with these files.
 *
 * @param input - What it reads from stdin.
 */
export function promtool(args: readonly string[], files: Readonly<Record<string, string>>, input = ''): Verdict {
  const folder = mkdtempSync(join(tmpdir(), 'market-kpi-promtool-'))
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    const { status, stdout, stderr, error } = spawnSync('promtool', args, { cwd: folder, input, encoding: 'utf8' })
    return { ok: status === 0, said: error ? error.message : stdout + stderr }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
