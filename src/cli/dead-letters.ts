import type { Command } from 'commander'
import { registerList } from './dead-letters/list.ts'
import { registerPurge } from './dead-letters/purge.ts'
import { registerRetry } from './dead-letters/retry.ts'
import { registerShow } from './dead-letters/show.ts'

export function register(program: Command): void {
  const letters = program
    .command('dead-letters')
    .description('list, show, retry and delete rejected messages')
    .addHelpText('after', '\nEvery subcommand accepts --help, --log-level <level> and --log-format <format>.')
  registerList(letters)
  registerShow(letters)
  registerRetry(letters)
  registerPurge(letters)
}
