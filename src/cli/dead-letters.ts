import type { Command } from 'commander'
import { registerList } from './dead-letters/list.ts'
import { registerPurge } from './dead-letters/purge.ts'
import { registerRetry } from './dead-letters/retry.ts'
import { registerShow } from './dead-letters/show.ts'

export function register(program: Command): void {
  const letters = program
    .command('dead-letters')
    .description('rejected messages: look at them, retry them after a fix, delete them')
    .addHelpText('after', '\nEach takes --help, --log-level <level> and --log-format <format>.')
  registerList(letters)
  registerShow(letters)
  registerRetry(letters)
  registerPurge(letters)
}
