import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { KpiError, messageOf } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import { LetterRetrier, type RetryOutcome } from '../../recovery/retry-letters.ts'
import { counted } from '../../runtime/number-text.ts'
import { withDatabase } from '../../services/servers.ts'
import { findLetter, type LetterPlace } from '../../store/dead-letters/dead-letters.ts'
import { letterMissing } from '../../store/dead-letters/retry.ts'
import { readDefinition } from '../../store/schema/definition.ts'
import { addStackOption, configure, withErrors } from '../command.ts'
import { isoTime } from '../text/instant-text.ts'
import { databaseHelp, offsetArgument, partitionArgument, reasonOption } from './options.ts'
import { withPayloads } from './payload-source.ts'

interface RetryFlags {
  readonly value?: string
  readonly file?: string
  readonly all?: true
  readonly reason?: string
}

export function registerRetry(command: Command): void {
  command
    .argument('[partition]', 'partition and offset of the message', partitionArgument)
    .argument('[offset]', '', offsetArgument)
    .option('--value <json>', 'the corrected value')
    .option('--file <path>', 'a file with the corrected value, - for standard input')
    .option('--all', 'all messages that were not retried, each with its own value')
    .addOption(reasonOption('with --all: only those rejected for this reason'))
  addStackOption(command, 'pipeline')
    .addHelpText('after', help)
    .action(
      withErrors((partition: number | undefined, offset: number | undefined, _flags: unknown, self: Command) =>
        retry(partition === undefined || offset === undefined ? undefined : { partition, offset }, self),
      ),
    )
}

const help = `
A message counts once, however often it is retried. It keeps its partition and offset, which decide open and close among
equal timestamps. If a message is rejected again, nothing changes for it, and the exit code is 1.
${databaseHelp}`

async function retry(place: LetterPlace | undefined, command: Command): Promise<number> {
  const { config, log } = configure(command)
  const flags = command.opts<RetryFlags>()
  checkFlags(place, flags)
  // Read the file first, so that an unreadable file is reported before any connection is made.
  const corrected = correctedValue(flags)
  return withDatabase(config, 'dead-letters', async (database) => {
    const definition = await readDefinition(database)
    return withPayloads(config, definition, async (payloads) => {
      const retrier = new LetterRetrier({ database, definition, payloads, now: Date.now })
      if (!place) return retryAll(retrier, flags, log)
      const letter = await findLetter(database, definition.topic, place)
      if (!letter) throw letterMissing(place)
      const result = await retrier.retry(letter, corrected)
      process.stdout.write(`${outcomeText(place, result)}\n`)
      return result.outcome === 'merged' ? 0 : 1
    })
  })
}

/** @throws KpiError `KPI_USAGE` for flags that cannot be combined. */
export function checkFlags(place: LetterPlace | undefined, { value, file, all, reason }: RetryFlags): void {
  if ((place === undefined) === (all === undefined)) {
    throw new KpiError('KPI_USAGE', 'dead-letters retry needs either PARTITION and OFFSET, or --all')
  }
  if (value !== undefined && file !== undefined) {
    throw new KpiError('KPI_USAGE', 'dead-letters retry takes either --value or --file')
  }
  if (all && (value !== undefined || file !== undefined)) {
    throw new KpiError('KPI_USAGE', 'a corrected value belongs to one message: leave out --all, or --value and --file')
  }
  if (reason !== undefined && !all) throw new KpiError('KPI_USAGE', '--reason belongs to --all')
}

function correctedValue({ value, file }: RetryFlags): Buffer | undefined {
  if (value !== undefined) return Buffer.from(value)
  if (file === undefined) return undefined
  try {
    return readFileSync(file === '-' ? 0 : file)
  } catch (error) {
    throw new KpiError('KPI_USAGE', `--file ${file}: ${messageOf(error)}`, { cause: error })
  }
}

async function retryAll(retrier: LetterRetrier, { reason }: RetryFlags, log: Logger): Promise<number> {
  const rejected = new Map<string, number>()
  let merged = 0
  let gone = 0
  for await (const { letter, result } of retrier.retryAll(reason === undefined ? {} : { reason })) {
    if (result.outcome === 'merged') merged += 1
    if (result.outcome === 'value gone') gone += 1
    if (result.outcome === 'rejected') rejected.set(result.reason, (rejected.get(result.reason) ?? 0) + 1)
    log.debug(outcomeText(letter, result))
  }
  process.stdout.write(`${counted(merged, 'message')} merged\n`)
  for (const [why, count] of rejected) process.stdout.write(`${counted(count, 'message')} still rejected: ${why}\n`)
  if (gone > 0) process.stdout.write(`${counted(gone, 'message')} of which neither table nor log have the value\n`)
  return 0
}

function outcomeText({ partition, offset }: LetterPlace, result: RetryOutcome): string {
  const place = `partition ${partition}, offset ${offset}`
  switch (result.outcome) {
    case 'merged': {
      const window = isoTime(new Date(result.windowStartUs / 1000))
      return `${place}: merged into ${result.symbol} ${window}${result.isLate ? ', late' : ''}`
    }
    case 'rejected':
      return `${place}: still rejected, ${result.reason}: ${result.detail}`
    case 'value gone':
      return `${place}: neither table nor log have the value; give it with --value or --file`
  }
}
