import type { Command } from 'commander'
import type { Config } from '../config/load.ts'
import { assert, KpiError } from '../errors.ts'
import type { Logger } from '../log.ts'
import { announceReady, whenSupervisorGone } from '../process/ready-signal.ts'
import { listenForStop } from '../process/stop-signals.ts'
import { pause } from '../runtime/abort.ts'
import { counted } from '../runtime/number-text.ts'
import { type PruneTally, runPrune, usualPrunePort } from '../services/prune.ts'
import { withDatabase } from '../services/servers.ts'
import { httpPortHelp } from '../services/service-status.ts'
import type { Database } from '../store/client/connection.ts'
import { countLetters } from '../store/dead-letters/dead-letters.ts'
import { purgeLetters } from '../store/dead-letters/purge.ts'
import { readDefinition } from '../store/schema/definition.ts'
import { addMonthsAhead } from '../store/windows/partitions.ts'
import { countPrunable, type PruneResult, pruneRows } from '../store/windows/prune.ts'
import { addSettingOptions, addStackOption, configure, wholeNumber, withErrors } from './command.ts'
import { addConsentOptions, type ConsentFlags, checkConsent, exitWithoutConsent, hasConsent } from './confirm.ts'
import { ageOption, parseAge } from './options/time-option.ts'
import { isoTime } from './text/instant-text.ts'

interface PruneFlags extends ConsentFlags {
  readonly every?: number
  readonly httpPort?: number
}

export function register(command: Command): void {
  command
    .option('--every <time>', 'repeat at this interval until stopped', ageOption)
    .option('--http-port <port>', `with --every: ${httpPortHelp(usualPrunePort)}`, wholeNumber(0, 65_535))
  addConsentOptions(command)
  addStackOption(command, 'pipeline')
  addSettingOptions(command, ['pruneRowsOlderThan', 'pruneLettersOlderThan'])
    .addHelpText('after', help)
    .action(withErrors((_flags: unknown, self: Command) => prune(self)))
}

const help = `
At least one of the two ages is required. The age of a row is the time since the end of its window, that of a rejected
message the time since it was rejected; retried messages are kept. It shows how much it will delete and asks, unless --yes
is given; as a service (--every) it needs --yes. Workers can run meanwhile. docs/operations.md explains what happens to a
message for a window that was deleted.

Environment:
  DATABASE_URL or POSTGRES_HOST, …   the database, as the role bi_user
  all settings: docs/configuration.md`

async function prune(command: Command): Promise<number> {
  const { config, log } = configure(command)
  const { every, httpPort, ...flags } = command.opts<PruneFlags>()
  const { dryRun } = flags
  const { pruneRowsOlderThan: rows, pruneLettersOlderThan: letters } = config
  if (rows === undefined && letters === undefined) {
    throw new KpiError('KPI_USAGE', 'prune needs --rows-older-than or --letters-older-than')
  }
  if (every !== undefined && dryRun) throw new KpiError('KPI_USAGE', 'either --every or --dry-run')
  if (httpPort !== undefined && every === undefined) throw new KpiError('KPI_USAGE', '--http-port needs --every')
  checkConsent('prune', flags)
  if (!flags.yes && !dryRun && !(await hasConsent('prune', flags, await deletionOf(config, every)))) {
    return exitWithoutConsent(flags)
  }
  const stopRequest = listenForStop((what) =>
    log.info(what === 'stop' ? 'stopping after this step' : 'stopping at once'),
  )
  const gone = new AbortController()
  whenSupervisorGone(() => gone.abort())
  stopRequest.forceStop.addEventListener('abort', () => process.exit(1))
  const stop = AbortSignal.any([stopRequest.stop, gone.signal])
  try {
    const work = { config, log, stop, dryRun: dryRun ?? false }
    const round = (tally: PruneTally) => withDatabase(config, 'prune', (database) => once(database, work, tally))
    if (every === undefined) await round({ rows: 0, letters: 0 })
    else await runPrune({ config, log, everyMs: every, httpPort, round, ready: (url) => sayReady(log, url) }, stop)
    return 0
  } finally {
    stopRequest.release()
    // A pipeline observation for /health that is still running must not delay the exit.
    setTimeout(() => process.exit(), lingerMs).unref()
  }
}

/** What will be deleted, for the question to the user. */
async function deletionOf(config: Config, every: number | undefined): Promise<string> {
  const { pruneRowsOlderThan: rowsAge, pruneLettersOlderThan: lettersAge } = config
  const parts = await withDatabase(config, 'prune', async (database) => {
    const { topic } = await readDefinition(database)
    const rows = rowsAge === undefined ? [] : [deletedRows(await countPrunable(database, dateOf(rowsAge)))]
    const letters =
      lettersAge === undefined
        ? []
        : [deletedLetters(await countPurgeable(database, topic, dateOf(lettersAge)), dateOf(lettersAge))]
    return [...rows, ...letters]
  })
  return `delete ${parts.join(' and ')}${every === undefined ? '' : ', and what gets as old later'}`
}

/** Time for the last log lines to be written. */
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
    process.stdout.write(`${dryRun ? 'would delete' : 'deleted'} ${deletedRows(gone)}\n`)
  }
  if (lettersAge !== undefined && !stop.aborted) {
    const before = dateOf(lettersAge)
    const count = dryRun
      ? await countPurgeable(database, definition.topic, before)
      : await purgeLetters(database, key, { before }, counter(tally, 'letters'))
    process.stdout.write(`${dryRun ? 'would delete' : 'deleted'} ${deletedLetters(count, before)}\n`)
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

/** Counts what one step has deleted so far. */
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

function deletedRows({ rows, messages, startsBefore }: PruneResult): string {
  return `${counted(rows, 'row')} (${counted(messages, 'message')}) of windows before ${isoTime(startsBefore)}`
}

function deletedLetters(count: number, before: Date): string {
  return `${counted(count, 'rejected message')} from before ${isoTime(before)}`
}

const toldEvery = 100_000

/** Pauses after each batch for as long as the batch took, so that half of the time is left for other database users. */
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
