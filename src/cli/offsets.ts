import type { Command } from 'commander'
import { KpiError } from '../errors.ts'
import { transactionText } from '../kafka/log/open-transactions.ts'
import { findGaps } from '../recovery/find-gaps.ts'
import { type PartitionState, type PartitionView, viewPartitions } from '../recovery/partition-states.ts'
import { counted } from '../runtime/number-text.ts'
import { definitionOf } from '../services/definition.ts'
import { withDatabase, withTopic } from '../services/servers.ts'
import { acceptGap, type Gap, type RecordedGap, readGaps } from '../store/positions/gaps.ts'
import { checkDefinition, readDefinition } from '../store/schema/definition.ts'
import { addSettingOptions, addStackOption, configure, wholeNumber, withErrors } from './command.ts'
import { addConsentOptions, type ConsentFlags, checkConsent, exitWithoutConsent, hasConsent } from './confirm.ts'
import { isoTime } from './text/instant-text.ts'
import { paint, table } from './text/table.ts'

interface AcceptFlags extends ConsentFlags {
  readonly partition?: number
  readonly all?: true
}

export function registerShow(command: Command): void {
  command.option('--json', 'print one JSON object')
  addStackOption(command, 'reader')
  addSettingOptions(command, kafkaSettings).action(withErrors((_flags: unknown, self: Command) => showOffsets(self)))
}

export function registerAcceptGap(command: Command): void {
  command
    .option('--partition <n>', 'only this partition', wholeNumber(0, 1_000_000))
    .option('--all', 'every partition that has a gap')
  addConsentOptions(command)
  addStackOption(command, 'pipeline')
  addSettingOptions(command, kafkaSettings)
    .addHelpText('after', acceptHelp)
    .action(withErrors((_flags: unknown, self: Command) => acceptGaps(self)))
}

const kafkaSettings = ['kafkaBootstrapServers', 'kafkaTopic', 'kafkaGroup'] as const

const acceptHelp = `
Use this if a worker reports that the position of a partition is not in its log (KPI_OFFSET_OUT_OF_RANGE), or that the log
is not the one that it read (KPI_LOG_DIVERGED). A running worker then continues automatically.
A recorded gap cannot be undone: docs/operations.md explains what it means for the rows.`

async function showOffsets(command: Command): Promise<void> {
  const { config } = configure(command)
  const shown = await withTopic(config, 'offsets', (cluster, metadata) =>
    withDatabase(config, 'offsets', async (database) => {
      const definition = await readDefinition(database)
      const { topic, consumerGroup: group } = definition
      const partitions = await viewPartitions(cluster, metadata, database, definition)
      return { topic, group, partitions, gaps: await readGaps(database, { group, topic }) }
    }),
  )
  if (command.opts<{ json?: true }>().json) process.stdout.write(`${JSON.stringify(shown)}\n`)
  else
    process.stdout.write(
      partitionTable(shown.partitions) +
        transactionLines(shown.partitions) +
        gapLines(shown.gaps) +
        advice(shown.partitions),
    )
}

const none = '-'

function partitionTable(partitions: readonly PartitionView[]): string {
  const right = (title: string) => ({ title, align: 'right' }) as const
  const columns = [
    right('partition'),
    right('log start'),
    right('log end'),
    right('position'),
    right('lag'),
    right('in Kafka'),
    { title: 'state' },
  ]
  const cell = (value: number | null) => (value === null ? none : String(value))
  return table(
    columns,
    partitions.map(({ partition, logStart, logEnd, position, lag, agreesTo, committed, state }) => [
      ...[partition, logStart, logEnd, position, lag, committed].map(cell),
      paint(colours[state], state === 'diverged' ? `${state} at ${agreesTo}` : state),
    ]),
  )
}

function transactionLines(partitions: readonly PartitionView[]): string {
  const lines = partitions.flatMap(({ partition, blocked, openTransaction }) => {
    if (openTransaction === null || !blocked) return []
    const { sinceMs } = openTransaction
    const since = sinceMs === null ? '' : `, open since ${isoTime(new Date(sinceMs))}`
    const wait = blocked === 1 ? '1 message waits' : `${blocked} messages wait`
    return [`partition ${partition}: ${wait} for ${transactionText(openTransaction)}${since}\n`]
  })
  return lines.length === 0 ? '' : `\n${lines.join('')}`
}

const colours: Record<PartitionState, 'green' | 'yellow' | 'red'> = {
  ok: 'green',
  'not started': 'yellow',
  'behind the log': 'red',
  'past the log': 'red',
  diverged: 'red',
  'topic re-created': 'red',
}

function gapLines(gaps: readonly RecordedGap[]): string {
  return gaps.length === 0
    ? ''
    : `\n${gaps.map((gap) => `gap: ${gapText(gap)}, accepted ${isoTime(gap.recordedAt)}\n`).join('')}`
}

function gapText({ partition, kind, fromOffset, toOffset, fromEventUs, toEventUs }: Gap): string {
  const offsets = `offsets ${fromOffset} to ${toOffset - 1}`
  const what = { deleted: 'deleted before they were read', cut: 'counted, then cut off the log' }[kind]
  const windows = `windows from ${isoTime(new Date(fromEventUs / 1000))} to ${isoTime(new Date(toEventUs / 1000))}`
  return `partition ${partition} ${offsets} (${toOffset - fromOffset}), ${what}, ${windows}`
}

function advice(partitions: readonly PartitionView[]): string {
  const has = (...states: PartitionState[]) => partitions.some(({ state }) => states.includes(state))
  if (has('topic re-created')) return "\n'market-kpi init --accept-new-topic' starts with the new topic\n"
  if (has('behind the log', 'past the log', 'diverged'))
    return "\n'market-kpi offsets accept-gap' records the gap and continues\n"
  return ''
}

async function acceptGaps(command: Command): Promise<number> {
  const { config } = configure(command)
  const { partition, all, ...flags } = command.opts<AcceptFlags>()
  if ((partition === undefined) === (all === undefined)) {
    throw new KpiError('KPI_USAGE', 'offsets accept-gap needs either --partition N or --all')
  }
  checkConsent('offsets accept-gap', flags)
  return withTopic(config, 'offsets', (cluster, metadata) =>
    withDatabase(config, 'offsets', async (database) => {
      await checkDefinition(database, definitionOf(config, metadata))
      const definition = await readDefinition(database)
      const partitions = partition === undefined ? undefined : [partition]
      const gaps = await findGaps({ cluster, metadata, database, definition, partitions, now: Date.now })
      if (gaps.length === 0) {
        process.stdout.write(
          `no gap: ${partition === undefined ? 'every position is' : `the position of partition ${partition} is`} within its log\n`,
        )
        return 0
      }
      for (const gap of gaps) process.stdout.write(`gap: ${gapText(gap)}\n`)
      const what = `record ${counted(gaps.length, 'gap')} for good, mark the windows that they may affect as incomplete, and continue`
      if (!(await hasConsent('offsets accept-gap', flags, what))) return exitWithoutConsent(flags)
      const { consumerGroup: group, topic } = definition
      for (const gap of gaps) {
        const { archivedLetters } = await acceptGap(database, { group, topic }, definition.id, gap)
        process.stdout.write(acceptedText(gap, archivedLetters))
      }
      return 0
    }),
  )
}

function acceptedText({ partition, kind, fromOffset, toOffset }: Gap, archivedLetters: number): string {
  const next = kind === 'deleted' ? toOffset : fromOffset
  const letters =
    archivedLetters > 0
      ? `; ${counted(archivedLetters, 'rejected message')} of the part cut off moved to the archive`
      : ''
  return `partition ${partition} continues at offset ${next}${letters}\n`
}
