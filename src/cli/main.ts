// The command line: every command is wired here, and nowhere else.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { prepareForUp } from '../services/prepare.ts'
import { register as registerAlerts } from './alerts.ts'
import { register as registerBench } from './bench.ts'
import { addSettingOptions, exitUnknown } from './command.ts'
import { register as registerConsume } from './consume.ts'
import { register as registerDeadLetters } from './dead-letters.ts'
import { register as registerDown } from './down.ts'
import { register as registerExport } from './export.ts'
import { register as registerFeed } from './feed.ts'
import { register as registerHealth } from './health.ts'
import { register as registerInit } from './init.ts'
import { register as registerMonitor } from './monitor.ts'
import { register as registerOffsets } from './offsets.ts'
import { register as registerOpen } from './open.ts'
import { register as registerPrune } from './prune.ts'
import { register as registerRebuild } from './rebuild.ts'
import { register as registerUp } from './up.ts'
import { register as registerVerify } from './verify.ts'

// `market-kpi … | head`: who reads us has seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

const exitUsage = 2
/** Commands whose exit codes 1 and 2 say what they found; of `monitor` only with --once. */
const checks = new Set(['verify', 'health', 'alerts check'])

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8')) as {
  version: string
}

const program = new Command('market-kpi')
  .description('Reads market prices from Kafka and keeps exact KPIs per symbol and time window in PostgreSQL.')
  .version(version)
  .showHelpAfterError(false)

registerUp(program, prepareForUp)
registerDown(program)
registerInit(program)
registerFeed(program)
registerConsume(program)
registerHealth(program)
registerMonitor(program)
registerAlerts(program)
registerVerify(program)
registerOffsets(program)
registerDeadLetters(program)
registerRebuild(program)
registerPrune(program)
registerOpen(program)
registerExport(program)
registerBench(program)

for (const command of allOf(program)) {
  command
    .exitOverride()
    .configureHelp({ helpWidth: 110 })
    .configureOutput({
      outputError: (text, write) =>
        write(
          `${text
            .replace(/^error: /, '')
            .trim()
            .replace(/\n+/g, ' ')}\n`,
        ),
    })
  if (command.commands.length === 0) addSettingOptions(command, ['logLevel', 'logFormat'])
}

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

function allOf(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allOf)]
}
