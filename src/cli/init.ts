import type { Command } from 'commander'
import type { Config } from '../config/load.ts'
import { KpiError } from '../errors.ts'
import { counted } from '../runtime/number-text.ts'
import { preparePipeline } from '../services/prepare.ts'
import { withDatabase, withTopic } from '../services/servers.ts'
import { countLetters } from '../store/dead-letters/dead-letters.ts'
import { readDefinition } from '../store/schema/definition.ts'
import { countRows } from '../store/windows/count-rows.ts'
import { addSettingOptions, addStackOption, configure, withErrors } from './command.ts'
import { addConsentOptions, type ConsentFlags, checkConsent, exitWithoutConsent, hasConsent } from './confirm.ts'

export function register(command: Command): void {
  command.option(
    '--accept-new-topic',
    'the topic was deleted and created again: archive the old rows and start with the new topic',
  )
  addConsentOptions(command)
  addStackOption(command, 'owner')
  addSettingOptions(command, ['kafkaBootstrapServers', 'kafkaTopic', 'kafkaGroup', 'partitionBy'])
    .addHelpText('after', environmentHelp)
    .action(withErrors((_flags: unknown, self: Command) => init(self)))
}

const environmentHelp = `
Environment:
  DATABASE_URL or POSTGRES_HOST, …           the database, as a role that may create tables and roles
  BI_USER_PASSWORD, BI_READER_PASSWORD       passwords of the roles bi_user and bi_reader, so that they can log in
  KAFKA_PARTITIONS, KAFKA_REPLICATION_FACTOR of a new topic
  all settings: docs/configuration.md`

interface InitFlags extends ConsentFlags {
  readonly acceptNewTopic?: true
}

async function init(command: Command): Promise<number> {
  const { config } = configure(command)
  const { acceptNewTopic: accept, ...flags } = command.opts<InitFlags>()
  if (!accept && flags.dryRun) throw new KpiError('KPI_USAGE', 'init: --dry-run belongs to --accept-new-topic')
  if (accept) {
    checkConsent('init --accept-new-topic', flags)
    const what = flags.yes && !flags.dryRun ? undefined : await archivedBy(config)
    if (what !== undefined && !(await hasConsent('init --accept-new-topic', flags, what))) {
      return exitWithoutConsent(flags)
    }
    if (flags.dryRun) {
      process.stdout.write('nothing would be archived: the rows are of the topic that is there\n')
      return 0
    }
  }
  const done = await preparePipeline(config, { acceptNewTopic: accept === true })
  for (const line of done.length > 0 ? done : ['everything is there already']) process.stdout.write(`${line}\n`)
  return 0
}

/** What accepting a new topic would move to the archive; undefined if there is no new topic to accept. */
async function archivedBy(config: Config): Promise<string | undefined> {
  const topicId = await topicIdOf(config)
  try {
    return await withDatabase(config, 'init', async (database) => {
      const held = await readDefinition(database)
      if (held.topicId === topicId) return undefined
      const rows = await countRows(database, {})
      const letters = (await countLetters(database, held.topic, {})).reduce((sum, { letters: count }) => sum + count, 0)
      return `move ${counted(rows, 'row')} and ${counted(letters, 'rejected message')} of the old topic '${held.topic}' to the archive, forget its positions and gaps, and start with ${topicId === undefined ? 'a new topic' : `the topic ${topicId}`}`
    })
  } catch (error) {
    if (error instanceof KpiError && nothingThere.has(error.code)) return undefined
    throw error
  }
}

const nothingThere: ReadonlySet<string> = new Set(['KPI_DATABASE_MISSING', 'KPI_SCHEMA_MISSING'])

async function topicIdOf(config: Config): Promise<string | undefined> {
  try {
    return await withTopic(config, 'init', async (_, { topicId }) => topicId)
  } catch (error) {
    if (error instanceof KpiError && error.code === 'KPI_TOPIC_MISSING') return undefined
    throw error
  }
}
