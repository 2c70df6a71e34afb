// About two minutes of `npm run chaos`, with one broker, since a machine that runs all tests has no room for more of them:
// see docs/testing.md.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { seed } from '../../seed.ts'
import { runScript } from '../scenes/processes.ts'

const limitMs = 600_000

it(
  'nothing is lost or counted twice by two minutes of chaos',
  async () => {
    const logs = mkdtempSync(join(tmpdir(), 'market-kpi-chaos-logs-'))
    const args = ['--minutes', '2', '--brokers', '1', '--seed', String(seed), '--logs', logs]
    const run = runScript('test/chaos/main.ts', args, {})
    expect(await run.exited, `logs in ${logs}\n${run.stdout()}\n${run.stderr()}`).toEqual({ code: 0, signal: null })
    expect(run.stdout()).toContain(`all as it must be: seed ${seed}`)
    rmSync(logs, { recursive: true })
  },
  limitMs,
)
