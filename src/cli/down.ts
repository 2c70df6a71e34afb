import type { Command } from 'commander'
import { defaultDataDir } from '../stack/data-dir.ts'
import { takeDown } from '../stack/take-down.ts'
import { configure, withErrors } from './command.ts'

export function register(command: Command): void {
  command
    .option('--data-dir <dir>', 'data directory of that `up`', defaultDataDir)
    .action(withErrors((_flags: unknown, command: Command) => down(command)))
}

async function down(command: Command): Promise<void> {
  const { log } = configure(command)
  const { dataDir } = command.opts<{ dataDir: string }>()
  process.stdout.write(`${await takeDown({ dataDir, log })}\n`)
}
