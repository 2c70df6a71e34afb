// Repeats the property tests of the core and of Kafka's formats, and the simulation of the worker, for some minutes.
import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const runsPerProperty = 20_000
const folders = ['test/unit/kpi', 'test/unit/kafka', 'test/unit/consumer']
const help = `Usage: npm run fuzz -- [MINUTES]

Runs the property tests of ${folders.join(', ')} again and again, for 5 minutes by default.
Each round prints its own seed. To run a failed round again:
  FC_SEED=… FC_NUM_RUNS=${runsPerProperty} npx vitest run --project unit ${folders.join(' ')}
`
if (process.argv.includes('--help')) {
  process.stdout.write(help)
  process.exit()
}
const minutes = Number(process.argv[2] ?? 5)
if (!(minutes > 0 && minutes <= 24 * 60)) {
  process.stderr.write(`fuzz: minutes '${process.argv[2]}' must be a number above 0 and at most 1440\n`)
  process.exit(2)
}

const endAtMs = performance.now() + minutes * 60_000
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
let rounds = 0
while (performance.now() < endAtMs && process.exitCode === undefined) {
  const seed = String(randomInt(2 ** 31))
  process.stdout.write(`== round ${++rounds}: FC_SEED=${seed} FC_NUM_RUNS=${runsPerProperty}\n`)
  const { status } = spawnSync(
    process.execPath,
    [vitest, 'run', '--project', 'unit', ...folders, '--testTimeout=3600000'],
    {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, FC_SEED: seed, FC_NUM_RUNS: String(runsPerProperty) },
    },
  )
  if (status !== 0) process.exitCode = 1
}
process.stdout.write(process.exitCode === 1 ? `round ${rounds} failed\n` : `${rounds} rounds, no failure\n`)
