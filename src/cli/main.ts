// The command line: the commands of commands.ts, each of which is loaded when it is used.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { addCommands } from './add-commands.ts'
import { commands } from './commands.ts'
import { exitUnknown, exitUsage } from './exit-codes.ts'

// `market-kpi … | head`: the reader has closed the pipe.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

/** Commands whose exit codes 1 and 2 are the result of a check; `monitor` is one only with --once. */
const checks = new Set(['verify', 'health', 'alerts check'])

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8')) as {
  version: string
}

const program = new Command('market-kpi')
  .description('Reads market prices from Kafka and keeps exact KPIs per symbol and time window in PostgreSQL.')
  .version(version)
  .showHelpAfterError(false)
  .exitOverride()
  // Which arguments and options a command takes is not known before it is loaded.
  .configureHelp({ helpWidth: 110, subcommandTerm: (command) => command.name() })
  .configureOutput({
    outputError: (text, write) =>
      write(
        `${text
          .replace(/^error: /, '')
          .trim()
          .replace(/\n+/g, ' ')}\n`,
      ),
  })
addCommands(program, commands)

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  const isHelp = error.exitCode === 0
  process.exitCode = isHelp ? 0 : isCheck(process.argv.slice(2)) ? exitUnknown : exitUsage
}

function isCheck(args: readonly string[]): boolean {
  const [command = '', sub = ''] = args.filter((arg) => !arg.startsWith('-'))
  return checks.has(command) || checks.has(`${command} ${sub}`) || (command === 'monitor' && args.includes('--once'))
}
