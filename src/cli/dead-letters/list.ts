import type { Command } from 'commander'
import { grouped } from '../../runtime/number-text.ts'
import { withDatabase } from '../../services/servers.ts'
import {
  countLetters,
  type LetterFilter,
  type LetterSummary,
  listLetters,
  type ReasonCount,
} from '../../store/dead-letters/dead-letters.ts'
import { readDefinition } from '../../store/schema/definition.ts'
import { addStackOption, configure, wholeNumber, withErrors } from '../command.ts'
import { sinceOption } from '../options/time-option.ts'
import { isoTime } from '../text/instant-text.ts'
import { table } from '../text/table.ts'
import { reasonOption } from './options.ts'

interface ListFlags {
  readonly reason?: string
  readonly since?: Date
  readonly retried?: true
  readonly limit: number
  readonly json?: true
}

export function registerList(command: Command): void {
  command
    .addOption(reasonOption('only messages rejected for this reason'))
    .option('--since <time>', 'only messages rejected since then: an age (15m, 2h, 7d) or a date and time', sinceOption)
    .option('--retried', 'list retried messages instead')
    .option('--limit <n>', 'number of messages to list; all are counted', wholeNumber(0, 1_000_000), 50)
    .option('--json', 'print one JSON object')
  addStackOption(command, 'reader').action(withErrors((_flags: unknown, self: Command) => list(self)))
}

async function list(command: Command): Promise<void> {
  const { config } = configure(command)
  const { reason, since, retried, limit, json } = command.opts<ListFlags>()
  const filter: LetterFilter = { ...(reason ? { reason } : {}), ...(since ? { since } : {}) }
  const found = await withDatabase(config, 'dead-letters', async (database) => {
    const { topic } = await readDefinition(database)
    const counts = await countLetters(database, topic, filter)
    const letters = await listLetters(database, topic, { ...filter, isRetried: retried === true }, limit)
    return { topic, counts, letters }
  })
  if (json) process.stdout.write(`${JSON.stringify(found)}\n`)
  else if (found.counts.length === 0) process.stdout.write('no rejected messages\n')
  else process.stdout.write([letterTable(found.letters), countTable(found.counts)].filter(Boolean).join('\n'))
}

const right = (title: string) => ({ title, align: 'right' }) as const

function letterTable(letters: readonly LetterSummary[]): string {
  if (letters.length === 0) return ''
  const columns = [
    right('partition'),
    right('offset'),
    { title: 'rejected at' },
    { title: 'reason' },
    { title: 'detail' },
  ]
  const rows = letters.map(({ partition, offset, receivedAt, reason, detail }) => [
    String(partition),
    String(offset),
    isoTime(receivedAt),
    reason,
    detail,
  ])
  const whole = table(columns, rows)
  // On a terminal, lines are cut to its width. Elsewhere nothing is left out.
  const { isTTY, columns: width } = process.stdout
  return isTTY
    ? whole.replace(/^.*$/gm, (line) => (line.length > width ? `${line.slice(0, width - 1)}…` : line))
    : whole
}

function countTable(counts: readonly ReasonCount[]): string {
  return table(
    [{ title: 'reason' }, right('rejected'), right('of them retried')],
    counts.map(({ reason, letters, retried }) => [reason, grouped(letters), grouped(retried)]),
  )
}
