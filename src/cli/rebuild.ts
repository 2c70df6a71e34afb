import type { Command } from 'commander'
import type { Config } from '../config/load.ts'
import { KpiError } from '../errors.ts'
import { remedyText } from '../kpi/precision-losses.ts'
import { type RebuildReport, rebuild } from '../rebuild/rebuild.ts'
import { counted, grouped } from '../runtime/number-text.ts'
import { definitionOf } from '../services/definition.ts'
import { withDatabase, withTopic } from '../services/servers.ts'
import { postgresOptions } from '../store/client/connection.ts'
import { countLetters } from '../store/dead-letters/dead-letters.ts'
import { readDefinition } from '../store/schema/definition.ts'
import { countRows } from '../store/windows/count-rows.ts'
import type { WindowFilter } from '../store/windows/verify-snapshot.ts'
import { addSettingOptions, addStackOption, configure, withErrors } from './command.ts'
import { addConsentOptions, type ConsentFlags, checkConsent, exitWithoutConsent, hasConsent } from './confirm.ts'
import { instantOption } from './options/time-option.ts'
import { isoTime } from './text/instant-text.ts'
import { progressLog } from './text/read-progress.ts'
import { paint } from './text/table.ts'

interface RebuildFlags extends ConsentFlags {
  readonly symbol?: readonly string[]
  readonly from?: Date
  readonly to?: Date
  readonly all?: true
  readonly json?: true
}

export function register(command: Command): void {
  command
    .option('--symbol <names...>', 'only the rows of these symbols')
    .option('--from <time>', 'only windows that start at this time or later', instantOption)
    .option('--to <time>', 'only windows that start before this time', instantOption)
    .option('--all', 'all rows, rejected messages and counters, with the definition of the current settings')
    .option('--json', 'print one JSON object')
  addConsentOptions(command)
  addStackOption(command, 'pipeline')
  addSettingOptions(command, ['kafkaBootstrapServers', 'kafkaTopic', 'kafkaGroup'])
    .addHelpText('after', help)
    .action(withErrors((_flags: unknown, self: Command) => runRebuild(self)))
}

const help = `
Workers can run meanwhile; they wait while rows are replaced. Correct rows are not changed. Windows that the log no
longer holds completely are listed and not changed.

--all also changes WINDOW_SECONDS, ALLOWED_LATENESS_SECONDS, MAX_FUTURE_SECONDS, DECIMALS and KAFKA_GROUP of the database
to the current settings. Workers with the old settings end with KPI_DEFINITION_MISMATCH: start them again with the new ones.

Environment:
  DATABASE_URL or POSTGRES_HOST, …   the database, as the role bi_user
  WINDOW_SECONDS, …                  the definition
  all settings: docs/configuration.md`

async function runRebuild(command: Command): Promise<number> {
  const { config, log } = configure(command)
  const flags = command.opts<RebuildFlags>()
  const scope = scopeOf(flags)
  const isDryRun = flags.dryRun === true
  checkConsent('rebuild', flags)
  // A dry run reads the whole log and prints the result afterwards.
  const isAsking = !isDryRun && !flags.yes
  if (isAsking && !(await hasConsent('rebuild', flags, await replacementOf(config, scope)))) {
    return exitWithoutConsent(flags)
  }
  const report = await withTopic(config, 'rebuild', (cluster, metadata) =>
    rebuild({
      cluster,
      metadata,
      postgres: postgresOptions(config),
      definition: definitionOf(config, metadata),
      scope,
      isDryRun,
      maxPayloads: config.deadLetterPayloadsPerMinute,
      now: Date.now,
      onProgress: progressLog(log),
    }),
  )
  process.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : reportText(report, isDryRun))
  return 0
}

function scopeOf({ symbol, from, to, all }: RebuildFlags): 'all' | WindowFilter {
  const isRange = symbol !== undefined || from !== undefined || to !== undefined
  if (isRange === (all === true)) {
    throw new KpiError('KPI_USAGE', 'rebuild needs either --all, or some of --symbol, --from and --to')
  }
  if (all) return 'all'
  return { symbols: symbol, fromUs: from && from.getTime() * 1000, toUs: to && to.getTime() * 1000 }
}

/** How many symbols are listed. */
const maxLosses = 10

function lossLines(losses: RebuildReport['precisionLost']): string[] {
  const named = losses.toSorted((a, b) => b.messages - a.messages).slice(0, maxLosses)
  return [
    ...named.map((loss) => {
      const { symbol, messages, field, text } = loss
      return `${paint('yellow', 'ROUNDED')} ${counted(messages, 'message')} of ${symbol}, such as ${field} ${text}: ${remedyText(loss)}`
    }),
    ...(losses.length > named.length
      ? [`and messages of ${counted(losses.length - named.length, 'more symbol')}`]
      : []),
  ]
}

/** What will be replaced, for the question to the user. */
async function replacementOf(config: Config, scope: 'all' | WindowFilter): Promise<string> {
  return withDatabase(config, 'rebuild', async (database) => {
    const rows = counted(await countRows(database, scope === 'all' ? {} : scope), 'row')
    if (scope !== 'all') return `compute this range (${rows}) again from the log and replace what differs`
    const { topic } = await readDefinition(database)
    const counts = await countLetters(database, topic, {})
    const letters = counts.reduce((sum, { letters: count }) => sum + count, 0)
    return `replace everything (${rows}, ${counted(letters, 'rejected message')}, the counters) by what the log says`
  })
}

function reportText(report: RebuildReport, isDryRun: boolean): string {
  const { rows, left, kept, keptBeforeUs, letters, retriesTakenBack } = report
  const would = isDryRun ? 'would be ' : ''
  const lines = [
    ...left.map(({ symbol, startUs, inTable, inLog }) => {
      const window = isoTime(new Date(startUs / 1000))
      return `${paint('yellow', 'NOT WHOLE')} ${symbol} ${window}: ${grouped(inTable)} messages in the row, ${grouped(inLog)} in the log`
    }),
    ...(rows.leftAlone > left.length
      ? [`and ${counted(rows.leftAlone - left.length, 'window')} more that are not whole`]
      : []),
    ...(kept > 0
      ? [`${counted(kept, 'row')} of windows before ${isoTime(new Date(keptBeforeUs / 1000))} stay as they are`]
      : []),
    `rows ${would}changed ${grouped(rows.changed)}, added ${grouped(rows.added)}, removed ${grouped(rows.removed)}, left alone ${grouped(rows.leftAlone)}`,
    `rejected messages ${would}changed ${grouped(letters.changed)}, added ${grouped(letters.added)}, removed ${grouped(letters.removed)}`,
    ...(retriesTakenBack > 0
      ? [
          `${counted(retriesTakenBack, 'retried message')} ${would}rejected again: their values are not accepted any more`,
        ]
      : []),
    ...lossLines(report.precisionLost),
    `${grouped(report.messages)} messages read in ${report.seconds.toFixed(1)} s; workers waited ${report.lockedSeconds.toFixed(1)} s`,
    isDryRun ? 'nothing was changed' : `${paint('green', 'DONE')}`,
  ]
  return lines.map((line) => `${line}\n`).join('')
}
