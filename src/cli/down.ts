import type { Command } from 'commander'
import { loadConfig } from '../config/load.ts'
import { defaultDataDir } from '../embedded/data-dir.ts'
import { takeDown } from '../embedded/take-down.ts'
import { createLogger } from '../log.ts'
import { withErrors } from './command.ts'

interface DownFlags {
  readonly dataDir: string
}

export function register(program: Command): void {
  program
    .command('down')
    .description('stop the stack that `up` started, or what is left of it')
    .option('--data-dir <dir>', 'the data directory of that `up`', defaultDataDir)
    .action(withErrors((_flags: unknown, command: Command) => down(command.optsWithGlobals<DownFlags>())))
}

async function down({ dataDir }: DownFlags): Promise<void> {
  const { logLevel, logFormat } = loadConfig({})
  const log = createLogger({ level: logLevel, format: logFormat })
  process.stdout.write(`${await takeDown({ dataDir, log })}\n`)
}
