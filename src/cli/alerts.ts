import type { Command } from 'commander'
import { registerCheck } from './alerts/check.ts'
import { registerExplain } from './alerts/explain.ts'
import { registerHistory, registerList } from './alerts/list.ts'
import { registerSilence, registerUnsilence } from './alerts/silence.ts'
import { registerTest } from './alerts/test.ts'
import { registerWatch } from './alerts/watch.ts'

export function register(program: Command): void {
  const alerts = program
    .command('alerts')
    .description('check for problems, send notifications; list, silence and explain alerts')
    .addHelpText('after', '\nEvery subcommand accepts --help, --log-level <level> and --log-format <format>.')
  registerCheck(alerts)
  registerWatch(alerts)
  registerList(alerts)
  registerHistory(alerts)
  registerSilence(alerts)
  registerUnsilence(alerts)
  registerTest(alerts)
  registerExplain(alerts)
}
