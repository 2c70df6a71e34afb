import { Option } from 'commander'
import { rejectReasons } from '../../kpi/decode/reject-reason.ts'
import { wholeNumber } from '../command.ts'

export function reasonOption(description: string): Option {
  return new Option('--reason <reason>', description).choices(rejectReasons)
}

/** Parses the partition of the arguments that name a dead letter. */
export const partitionArgument = wholeNumber(0, 1_000_000)
export const offsetArgument = wholeNumber(0, 999_999_999_999_999)

export const databaseHelp = `
Environment:
  DATABASE_URL or POSTGRES_HOST, …   the database
  KAFKA_BOOTSTRAP_SERVERS            to read values that were not stored during a flood of rejected messages
  all settings: docs/configuration.md`
