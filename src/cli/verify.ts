import type { Command } from 'commander'
import type { Hole } from '../kpi/log-losses.ts'
import { counted, grouped } from '../runtime/number-text.ts'
import { definitionOf } from '../services/definition.ts'
import { withDatabase, withTopic } from '../services/servers.ts'
import { checkDefinition } from '../store/schema/definition.ts'
import type { WindowFilter } from '../store/windows/verify-snapshot.ts'
import type { Difference, UncheckedWindow } from '../verify/findings.ts'
import { type VerifyReport, verify } from '../verify/verify.ts'
import { addSettingOptions, addStackOption, configure, wholeNumber, withErrors } from './command.ts'
import { instantOption } from './options/time-option.ts'
import { progressLog } from './text/read-progress.ts'
import { paint, table } from './text/table.ts'

interface VerifyFlags {
  readonly symbol?: readonly string[]
  readonly from?: Date
  readonly to?: Date
  readonly show: number
  readonly json?: true
}

const exitUnchecked = 1
const exitDifferent = 2

export function register(command: Command): void {
  command
    .option('--symbol <names...>', 'only the rows of these symbols')
    .option('--from <time>', 'only windows that start at this time or later', instantOption)
    .option('--to <time>', 'only windows that start before this time', instantOption)
    .option('--show <n>', 'number of differences to print; all are counted', wholeNumber(0, 1_000_000), 20)
    .option('--json', 'print one JSON object')
  addStackOption(command, 'reader')
  addSettingOptions(command, ['kafkaBootstrapServers', 'kafkaTopic', 'kafkaGroup'])
    .addHelpText('after', help)
    .action(withErrors((_flags: unknown, self: Command) => runVerify(self), 'check'))
}

const help = `
Workers can run meanwhile. Rejected messages and counters are always compared, whatever the range.

Exit codes:
  0  everything agrees with the log
  1  everything that could be compared agrees, but the log no longer holds some windows completely
  2  something differs
  3  the comparison failed

Environment:
  DATABASE_URL or POSTGRES_HOST, …   the database; a role that may read it is enough
  all settings: docs/configuration.md`

async function runVerify(command: Command): Promise<number> {
  const { config, log } = configure(command)
  const { show, json, ...flags } = command.opts<VerifyFlags>()
  const report = await withTopic(config, 'verify', (cluster, metadata) =>
    withDatabase(config, 'verify', async (database) => {
      const definition = definitionOf(config, metadata)
      await checkDefinition(database, definition)
      const filter = filterOf(flags)
      const onProgress = progressLog(log)
      return verify({ cluster, metadata, database, definition, filter, maxShown: show, onProgress })
    }),
  )
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : reportText(report, config.kafkaTopic))
  if (report.differenceCount > 0) return exitDifferent
  return report.uncheckedCount > 0 ? exitUnchecked : 0
}

function filterOf({ symbol, from, to }: Pick<VerifyFlags, 'symbol' | 'from' | 'to'>): WindowFilter {
  return { symbols: symbol, fromUs: from && from.getTime() * 1000, toUs: to && to.getTime() * 1000 }
}

function reportText(report: VerifyReport, topic: string): string {
  const lines = [
    ...report.differences.map(differenceLine),
    ...more(report.differenceCount - report.differences.length, 'difference'),
    ...report.unchecked.map(uncheckedLine),
    ...more(report.uncheckedCount - report.unchecked.length, 'window that is not whole'),
    ...report.holes.map(holeLine),
  ]
  return [lines.map((line) => `${line}\n`).join(''), summary(report), verdict(report, topic)]
    .filter((part) => part !== '')
    .join('\n')
}

function differenceLine(difference: Difference): string {
  const { symbol, window, partition, offset, column, table: inTable, recomputed } = difference
  const place = [
    symbol,
    window,
    partition === undefined ? undefined : `partition ${partition}`,
    offset === undefined ? undefined : `offset ${offset}`,
  ]
  const where = place.filter((part) => part !== undefined).join(' ') || 'all rows'
  return `${paint('red', 'DIFFERS')} ${where} ${column}: table ${inTable ?? 'none'}, recomputed ${recomputed ?? 'none'}`
}

function uncheckedLine({ symbol, window, tradeCount, inLog }: UncheckedWindow): string {
  return `${paint('yellow', 'NOT WHOLE')} ${symbol} ${window}: ${grouped(tradeCount)} messages in the row, ${grouped(inLog)} in the log`
}

function holeLine({ partition, from, to, why }: Hole): string {
  const what = { deleted: 'no longer holds', compacted: 'was compacted, and lost some of', cut: 'was cut, and lost' }[
    why
  ]
  return `the log of partition ${partition} ${what} offsets ${from} to ${to - 1}, which are in the rows`
}

function more(count: number, thing: string): string[] {
  return count > 0 ? [`and ${counted(count, thing)} more; --show sets how many are printed`] : []
}

function summary(report: VerifyReport): string {
  const { messages, passes, rows, letters, retried, differenceCount, uncheckedCount, seconds } = report
  const figures = [
    ['messages read', passes > 1 ? `${grouped(messages)} in ${passes} passes` : grouped(messages)],
    ['rows compared', grouped(rows - uncheckedCount)],
    ['rejected messages', retried > 0 ? `${grouped(letters)}, ${grouped(retried)} of them retried` : grouped(letters)],
    ['differences', grouped(differenceCount)],
    ['not whole in the log', counted(uncheckedCount, 'window')],
    ['seconds', seconds.toFixed(1)],
  ]
  return table(
    [{ title: 'checked' }, { title: '' }],
    figures.map(([name = '', value = '']) => [name, value]),
  )
}

function verdict({ differenceCount, uncheckedCount }: VerifyReport, topic: string): string {
  if (differenceCount > 0) return `${paint('red', 'FAILED')}: the tables are not what the log of '${topic}' says\n`
  if (uncheckedCount === 0) return `${paint('green', 'OK')}: the tables are what the log of '${topic}' says\n`
  const what = counted(uncheckedCount, 'window')
  return `${paint('yellow', 'WARNING')}: the log of '${topic}' no longer holds ${what} whole; all others are right\n`
}
