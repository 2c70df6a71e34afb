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
import { addSettingOptions, addStackOption, configure, wholeNumber, withErrors } from './command.ts'
import { isoTime } from './instant-text.ts'
import { type PruneTally, runPrune, usualPrunePort } from './run-prune.ts'
import { withDatabase } from './servers.ts'
import { httpPortHelp } from './service-status.ts'
import { counted } from './table.ts'
import { ageOption, parseAge } from './time-option.ts'

interface PruneFlags {
  readonly every?: number
  readonly dryRun?: true
  readonly httpPort?: number
}

export function register(program: Command): void {
  const command = program
    .command('prune')
    .description('delete rows and rejected messages that are older than told, in small transactions')
    .option('--every <time>', 'do it again and again, so far apart, until stopped', ageOption)
    .option('--dry-run', 'say what would go, and delete nothing')
    .option('--http-port <port>', `with --every: ${httpPortHelp(usualPrunePort)}`, wholeNumber(0, 65_535))
  addStackOption(command, 'pipeline')
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
  const { every, dryRun, httpPort } = command.opts<PruneFlags>()
  const { pruneRowsOlderThan: rows, pruneLettersOlderThan: letters } = config
  if (rows === undefined && letters === undefined) {
    throw new KpiError('KPI_USAGE', 'prune needs --rows-older-than or --letters-older-than')
  }
  if (every !== undefined && dryRun) throw new KpiError('KPI_USAGE', 'either --every or --dry-run')
  if (httpPort !== undefined && every === undefined) throw new KpiError('KPI_USAGE', '--http-port needs --every')
  const wish = listenForStop((what) => log.info(what === 'stop' ? 'stopping after this step' : 'stopping at once'))
  const gone = new AbortController()
  whenSupervisorGone(() => gone.abort())
  wish.hurry.addEventListener('abort', () => process.exit(1))
  const stop = AbortSignal.any([wish.stop, gone.signal])
  try {
    const work = { config, log, stop, dryRun: dryRun ?? false }
    const round = (tally: PruneTally) => withDatabase(config, 'prune', (database) => once(database, work, tally))
    if (every === undefined) return await round({ rows: 0, letters: 0 })
    await runPrune({ config, log, everyMs: every, httpPort, round, ready: (url) => sayReady(log, url) }, stop)
  } finally {
    wish.release()
    // A look at the pipeline for /health must not hold us up.
    setTimeout(() => process.exit(), lingerMs).unref()
  }
}

/** For the last lines of the log. */
const lingerMs = 250

function sayReady(log: Logger, url: string): void {
  log.info(`HTTP at ${url}`)
  announceReady(url)
}

interface Work {
  readonly config: Config
  readonly log: Logger
  readonly stop: AbortSignal
  readonly dryRun: boolean
}

async function once(database: Database, { config, log, stop, dryRun }: Work, tally: PruneTally): Promise<void> {
  const definition = await readDefinition(database)
  const key = { group: definition.consumerGroup, topic: definition.topic }
  if (!dryRun) await addMonthsAhead(database)
  const { pruneRowsOlderThan: rowsAge, pruneLettersOlderThan: lettersAge } = config
  if (rowsAge !== undefined) {
    const before = dateOf(rowsAge)
    const gone = dryRun
      ? await countPrunable(database, before)
      : await deleteRows({ database, before, log, stop, count: counter(tally, 'rows') })
    process.stdout.write(`${rowsText(gone, dryRun)}\n`)
  }
  if (lettersAge !== undefined && !stop.aborted) {
    const before = dateOf(lettersAge)
    const count = dryRun
      ? await countPurgeable(database, definition.topic, before)
      : await purgeLetters(database, key, { before }, counter(tally, 'letters'))
    process.stdout.write(
      `${dryRun ? 'would delete' : 'deleted'} ${counted(count, 'rejected message')} from before ${isoTime(before)}\n`,
    )
  }
}

interface RowsWork extends Pick<Work, 'log' | 'stop'> {
  readonly database: Database
  readonly before: Date
  readonly count: (rows: number) => void
}

async function deleteRows({ database, before, count, ...work }: RowsWork): Promise<PruneResult> {
  const breathe = breather(work)
  const between = (rows: number, batchMs: number) => {
    count(rows)
    return breathe(rows, batchMs)
  }
  const gone = await pruneRows({ database, before, between })
  count(gone.rows)
  return gone
}

/** Takes what one step has deleted so far. */
function counter(tally: PruneTally, kind: keyof PruneTally): (deleted: number) => void {
  const before = tally[kind]
  return (deleted) => {
    tally[kind] = before + deleted
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
function breather({ log, stop }: Pick<Work, 'log' | 'stop'>): (rows: number, batchMs: number) => Promise<boolean> {
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
