import type { Command } from 'commander'
import type { Config } from '../config/load.ts'
import { announceReady, whenSupervisorGone } from '../embedded/ready-signal.ts'
import { listenForStop } from '../embedded/stop-signals.ts'
import { assert, KpiError } from '../errors.ts'
import { pause } from '../kafka/backoff.ts'
import type { Logger } from '../log.ts'
import type { Database } from '../store/connection.ts'
import { countLetters } from '../store/dead-letters.ts'
import { readDefinition } from '../store/definition.ts'
import { addMonthsAhead } from '../store/partitions.ts'
import { countPrunable, type PruneResult, pruneRows } from '../store/prune.ts'
import { purgeLetters } from '../store/purge-letters.ts'
import { addSettingOptions, configure, withErrors } from './command.ts'
import { isoTime } from './instant-text.ts'
import { withDatabase } from './servers.ts'
import { counted } from './table.ts'
import { ageOption, parseAge } from './time-option.ts'

interface PruneFlags {
  readonly every?: number
  readonly dryRun?: true
}

export function register(program: Command): void {
  const command = program
    .command('prune')
    .description('delete rows and rejected messages that are older than told, in small transactions')
    .option('--every <time>', 'do it again and again, so far apart, until stopped', ageOption)
    .option('--dry-run', 'say what would go, and delete nothing')
  addSettingOptions(command, ['pruneRowsOlderThan', 'pruneLettersOlderThan'])
    .addHelpText('after', help)
    .action(withErrors((_flags: unknown, self: Command) => prune(self)))
}

const help = `
At least one of the two ages. Of rows it is the time since the end of their window; of rejected messages the time since
they were rejected, and those that were retried stay. Workers go on meanwhile. docs/operations.md tells what becomes of a
message that comes for a window that is gone.

Environment:
  DATABASE_URL or POSTGRES_HOST, …   the database, as the role bi_user
  all of them: docs/configuration.md`

async function prune(command: Command): Promise<void> {
  const { config, log } = configure(command)
  const { every, dryRun } = command.opts<PruneFlags>()
  const { pruneRowsOlderThan: rows, pruneLettersOlderThan: letters } = config
  if (rows === undefined && letters === undefined) {
    throw new KpiError('KPI_USAGE', 'prune needs --rows-older-than or --letters-older-than')
  }
  if (every !== undefined && dryRun) throw new KpiError('KPI_USAGE', 'either --every or --dry-run')
  const wish = listenForStop((what) => log.info(what === 'stop' ? 'stopping after this step' : 'stopping at once'))
  const gone = new AbortController()
  whenSupervisorGone(() => gone.abort())
  wish.hurry.addEventListener('abort', () => process.exit(1))
  const stop = AbortSignal.any([wish.stop, gone.signal])
  try {
    if (every === undefined)
      return await withDatabase(config, 'prune', (database) => once(database, config, log, stop, dryRun))
    announceReady()
    while (!stop.aborted) {
      await onSchedule(config, log, stop)
      await pause(every, stop)
    }
  } finally {
    wish.release()
  }
}

/** What may pass must not end a service that comes back in an hour. */
async function onSchedule(config: Config, log: Logger, stop: AbortSignal): Promise<void> {
  try {
    await withDatabase(config, 'prune', (database) => once(database, config, log, stop))
  } catch (error) {
    if (!(error instanceof KpiError && error.retryable)) throw error
    log.warn(`not pruned this time: ${error.message}`)
  }
}

async function once(database: Database, config: Config, log: Logger, stop: AbortSignal, dryRun = false): Promise<void> {
  const definition = await readDefinition(database)
  const key = { group: definition.consumerGroup, topic: definition.topic }
  if (!dryRun) await addMonthsAhead(database)
  const { pruneRowsOlderThan: rowsAge, pruneLettersOlderThan: lettersAge } = config
  if (rowsAge !== undefined) {
    const before = dateOf(rowsAge)
    const gone = dryRun
      ? await countPrunable(database, before)
      : await pruneRows({ database, before, between: breather(log, stop) })
    process.stdout.write(`${rowsText(gone, dryRun)}\n`)
  }
  if (lettersAge !== undefined && !stop.aborted) {
    const before = dateOf(lettersAge)
    const count = dryRun
      ? await countPurgeable(database, definition.topic, before)
      : await purgeLetters(database, key, { before }, () => undefined)
    process.stdout.write(
      `${dryRun ? 'would delete' : 'deleted'} ${counted(count, 'rejected message')} from before ${isoTime(before)}\n`,
    )
  }
}

async function countPurgeable(database: Database, topic: string, before: Date): Promise<number> {
  const counts = await countLetters(database, topic, { before, isRetried: false })
  return counts.reduce((sum, { letters }) => sum + letters, 0)
}

function dateOf(age: string): Date {
  const ms = parseAge(age)
  assert(ms !== undefined, 'an age, as the setting allows')
  return new Date(Date.now() - ms)
}

function rowsText({ rows, messages, startsBefore }: PruneResult, dryRun: boolean): string {
  const what = `${counted(rows, 'row')} (${counted(messages, 'message')}) of windows before ${isoTime(startsBefore)}`
  return `${dryRun ? 'would delete' : 'deleted'} ${what}`
}

const toldEvery = 100_000

/** Half of the time belongs to the others: as long a pause as the work before it took. */
function breather(log: Logger, stop: AbortSignal): (rows: number, batchMs: number) => Promise<boolean> {
  let told = 0
  return async (rows, batchMs) => {
    if (rows - told >= toldEvery) {
      told = rows
      log.info(`${counted(rows, 'row')} deleted so far`)
    }
    await pause(Math.max(10, batchMs), stop)
    return !stop.aborted
  }
}
