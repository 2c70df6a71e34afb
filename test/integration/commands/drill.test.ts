// A short `npm run drill`: see docs/drill.md.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { runScript } from '../scenes/processes.ts'

const faults = ['postgres-killed', 'consumer-killed', 'column-dropped']
const limitMs = 400_000

it(
  'faults are told by the right alert, in time, once, and so is their end; a healthy pipeline is told of by none',
  async () => {
    const logs = mkdtempSync(join(tmpdir(), 'market-kpi-drill-logs-'))
    const args = ['--scale', '0.05', '--only', faults.join(','), '--healthy-minutes', '4', '--logs', logs]
    const run = runScript('test/drill/main.ts', args, {})
    expect(await run.exited, `logs in ${logs}\n${run.stdout()}\n${run.stderr()}`).toEqual({ code: 0, signal: null })
    expect(run.stdout().match(/^\| .* \| 1\/1 \|$/gm)).toHaveLength(faults.length)
    rmSync(logs, { recursive: true })
  },
  limitMs,
)
