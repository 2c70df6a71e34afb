// What a benchmark, a drill or a chaos run leaves behind when somebody ends it: nothing.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../temporary-folder.ts'
import { marketKpi, type Run, runScript } from './processes.ts'
import { until } from './until.ts'

/** Command lines of processes that work in a folder. */
function processesIn(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const command = readFileSync(join('/proc', pid, 'cmdline'), 'utf8').replaceAll('\0', ' ')
        return command.includes(folder) ? [command] : []
      } catch {
        return []
      }
    })
}

const commands: Record<string, (env: Record<string, string>) => Run> = {
  bench: (env) => marketKpi(['bench', '--quick'], env),
  drill: (env) => runScript('test/drill/main.ts', [], env),
  chaos: (env) => runScript('test/chaos/main.ts', ['--minutes', '1'], env),
}

it.each<[string, NodeJS.Signals[]]>([
  ['bench', ['SIGINT']],
  ['bench', ['SIGTERM', 'SIGTERM']],
  ['drill', ['SIGHUP']],
  ['chaos', ['SIGINT', 'SIGINT']],
])('%s, ended by %j', async (name, signals) => {
  using folder = temporaryFolder()
  const run = commands[name]?.({ TMPDIR: folder.path })
  if (run === undefined) throw new Error(`${name} is no command`)
  await until(
    'servers run in its folder',
    () => processesIn(folder.path),
    (found) =>
      found.some((command) => command.includes('kafka.Kafka')) && found.some((command) => command.includes('postgres')),
  )
  for (const signal of signals) run.child.kill(signal)
  expect((await run.exited).code, run.stderr()).not.toBe(0)
  await until(
    'nothing runs in its folder',
    () => processesIn(folder.path),
    (found) => found.length === 0,
  )
  // Logs are what a drill or a chaos run is asked for.
  expect(
    readdirSync(folder.path).filter((entry) => !entry.includes('-logs-') && entry.startsWith('market-kpi')),
  ).toEqual([])
})
