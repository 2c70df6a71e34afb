import type { Command } from 'commander'
import { KpiError } from '../../errors.ts'
import { counted } from '../../runtime/number-text.ts'
import { withDatabase } from '../../services/servers.ts'
import { countLetters } from '../../store/dead-letters/dead-letters.ts'
import { purgeLetters } from '../../store/dead-letters/purge.ts'
import { readDefinition } from '../../store/schema/definition.ts'
import { addStackOption, configure, withErrors } from '../command.ts'
import { addConsentOptions, type ConsentFlags, checkConsent, exitWithoutConsent, hasConsent } from '../confirm.ts'
import { sinceOption } from '../options/time-option.ts'
import { databaseHelp, reasonOption } from './options.ts'

interface PurgeFlags extends ConsentFlags {
  readonly olderThan?: Date
  readonly reason?: string
}

export function registerPurge(command: Command): void {
  command
    .option(
      '--older-than <age>',
      'only messages rejected longer ago than 90s, 15m, 2h, 30d, or before a date and time',
      sinceOption,
    )
    .addOption(reasonOption('only messages rejected for this reason'))
  addConsentOptions(command)
  addStackOption(command, 'pipeline')
    .addHelpText('after', help)
    .action(withErrors((_flags: unknown, self: Command) => purge(self)))
}

const help = `
At least one of the two is required; with both, messages must match both. Retried messages are kept, because they are
part of the rows. It shows how many messages it will delete and asks, unless --yes is given.
${databaseHelp}`

const toldEvery = 100_000

async function purge(command: Command): Promise<number> {
  const { config, log } = configure(command)
  const { olderThan: before, reason, ...flags } = command.opts<PurgeFlags>()
  if (before === undefined && reason === undefined) {
    throw new KpiError('KPI_USAGE', 'dead-letters purge needs --older-than or --reason')
  }
  checkConsent('dead-letters purge', flags)
  return withDatabase(config, 'dead-letters', async (database) => {
    const { topic, consumerGroup: group } = await readDefinition(database)
    const filter = { ...(before ? { before } : {}), ...(reason ? { reason } : {}) }
    const counts = await countLetters(database, topic, { ...filter, isRetried: false })
    const found = counts.reduce((sum, { letters }) => sum + letters, 0)
    const isAgreed =
      found === 0 ||
      (await hasConsent('dead-letters purge', flags, `delete ${counted(found, 'rejected message')} of '${topic}'`))
    if (!isAgreed) return exitWithoutConsent(flags)
    let told = 0
    const deleted = await purgeLetters(database, { group, topic }, filter, (count) => {
      if (count - told < toldEvery) return
      told = count
      log.info(`${counted(count, 'rejected message')} deleted so far`)
    })
    process.stdout.write(`deleted ${counted(deleted, 'rejected message')}\n`)
    return 0
  })
}
