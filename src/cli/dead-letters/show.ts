import type { Command } from 'commander'
import { KpiError } from '../../errors.ts'
import { withDatabase } from '../../services/servers.ts'
import { findLetter, type Letter } from '../../store/dead-letters/dead-letters.ts'
import { letterMissing } from '../../store/dead-letters/retry.ts'
import { readDefinition } from '../../store/schema/definition.ts'
import { addStackOption, configure, withErrors } from '../command.ts'
import { isoTime } from '../text/instant-text.ts'
import { payloadText } from '../text/payload-text.ts'
import { databaseHelp, offsetArgument, partitionArgument } from './options.ts'
import { withPayloads } from './payload-source.ts'

interface ShowFlags {
  readonly raw?: true
  readonly json?: true
}

export function registerShow(command: Command): void {
  command
    .argument('<partition>', 'partition and offset of the message', partitionArgument)
    .argument('<offset>', '', offsetArgument)
    .option('--raw', 'write only the bytes of the value, to correct and retry them with --file')
    .option('--json', 'print one JSON object')
  addStackOption(command, 'reader')
    .addHelpText('after', databaseHelp)
    .action(
      withErrors((partition: number, offset: number, _flags: unknown, self: Command) =>
        show({ partition, offset }, self),
      ),
    )
}

/** A value, or the reason why it cannot be shown. */
type FoundPayload = { readonly value: Buffer | null } | { readonly why: string }

async function show(place: { partition: number; offset: number }, command: Command): Promise<void> {
  const { config } = configure(command)
  const { raw, json } = command.opts<ShowFlags>()
  const { letter, found } = await withDatabase(config, 'dead-letters', async (database) => {
    const definition = await readDefinition(database)
    const letter = await findLetter(database, definition.topic, place)
    if (!letter) throw letterMissing(place)
    const value = () => withPayloads(config, definition, (payloads) => payloads.of(letter))
    return { letter, found: await foundPayload(value, raw === true) }
  })
  if (raw) process.stdout.write('value' in found ? (found.value ?? '') : '')
  else if (json) process.stdout.write(`${JSON.stringify(letterJson(letter, found))}\n`)
  else process.stdout.write(letterText(letter, found))
}

/**
 * If only the bytes were requested, missing bytes are an error. Otherwise the rest of the dead letter is still shown.
 */
async function foundPayload(read: () => Promise<Buffer | null | undefined>, isNeeded: boolean): Promise<FoundPayload> {
  try {
    const value = await read()
    if (value !== undefined) return { value }
    throw new KpiError('KPI_LETTER_MISSING', 'the value was not kept, and the log no longer has it')
  } catch (error) {
    if (isNeeded || !(error instanceof KpiError)) throw error
    return { why: error.message }
  }
}

function letterText(letter: Letter, found: FoundPayload): string {
  const { partition, offset, reason, detail, key, messageAt, receivedAt, retriedAt, retriedPayload } = letter
  const fields = [
    ['reason', reason],
    ['detail', detail],
    ['key', key === null ? 'none' : payloadText(key)],
    ['Kafka timestamp', messageAt === null ? 'none' : isoTime(messageAt)],
    ['rejected at', isoTime(receivedAt)],
    ['retried at', retriedAt === null ? 'never' : isoTime(retriedAt)],
    ['value', valueLine(letter, found)],
  ]
  const lines = fields.map(([name = '', value = '']) => `  ${name.padEnd(15)}  ${value}\n`)
  const value = 'value' in found && found.value !== null ? `\n${payloadText(found.value)}\n` : ''
  const retried = retriedPayload === null ? '' : `\nretried with\n${payloadText(retriedPayload)}\n`
  return `partition ${partition}, offset ${offset}\n${lines.join('')}${value}${retried}`
}

function valueLine({ payload, reason }: Letter, found: FoundPayload): string {
  if ('why' in found) return found.why
  if (found.value === null) return 'none'
  const where = payload === null ? ', from the log' : reason === 'too_large' ? ', the first of more' : ''
  return `${found.value.length} bytes${where}`
}

function letterJson(letter: Letter, found: FoundPayload): object {
  const value = 'value' in found ? found.value : null
  const { payload: _payload, payloadBytes: _bytes, key, retriedPayload, ...rest } = letter
  return {
    ...rest,
    key: key?.toString() ?? null,
    value: value?.toString() ?? null,
    valueHex: value?.toString('hex') ?? null,
    ...('why' in found ? { valueMissing: found.why } : {}),
    retriedValue: retriedPayload?.toString() ?? null,
  }
}
