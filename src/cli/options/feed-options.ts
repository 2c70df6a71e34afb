import { type Command, Option } from 'commander'
import { KpiError } from '../../errors.ts'
import type { FeedSource } from '../../feed/sources/feed-source.ts'
import { feedSources, spellingOf, strayOption } from '../../feed/sources/registry.ts'
import { compressions } from '../../kafka/records/record-batch-writer.ts'

/** The option for the compression of what a feed sends. */
export function compressionOption(): Option {
  return new Option('--compression <kind>', 'compression of the messages sent to Kafka')
    .choices(compressions)
    .default('none')
}

/** The options of all sources. */
export function addFeedOptions(command: Command): Command {
  command.addOption(compressionOption())
  for (const option of feedSources.flatMap((source) => source.options())) command.addOption(option)
  return command
}

/**
 * Rejects options that the chosen source does not use. Ignoring them would hide a mistake.
 *
 * @throws KpiError `KPI_USAGE`.
 */
export function checkFeedOptions(command: Command, source: FeedSource): void {
  const stray = strayOption(source, (attribute) => command.getOptionValueSource(attribute) === 'cli')
  if (!stray) return
  const { flag, owner } = stray
  throw new KpiError('KPI_USAGE', `${flag} belongs to the source ${spellingOf(owner)}, not to ${source.name}`)
}

/**
 * Records options as the user wrote them, to pass them on to another command.
 *
 * @returns The options and their values. The array is filled while the command line is parsed.
 */
export function recordOptions(command: Command, options: readonly Option[]): readonly string[] {
  const given: string[] = []
  for (const option of options) {
    command.on(`option:${option.name()}`, (value: string | null) => {
      given.push(option.long ?? option.flags, ...(option.required && value !== null ? [value] : []))
    })
  }
  return given
}
