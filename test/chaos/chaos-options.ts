import { parseArgs } from 'node:util'
import { numberOf, UsageError } from '../number-option.ts'

/** What a run is told. */
export interface ChaosOptions {
  /** Of load; start, quiet points and end come on top. */
  readonly minutes: number
  readonly seed: number
  /** Messages per second. */
  readonly rate: number
  /** Workers that are always meant to run; visitors come on top. */
  readonly workers: number
  /** At the start. */
  readonly partitions: number
  /** Of one cluster, each of them a controller too: 1 or 3. */
  readonly brokers: number
  /** Nothing but these kinds of actions; undefined for all. */
  readonly only: readonly string[] | undefined
  /** Only print the schedule. */
  readonly plan: boolean
  /** Where the logs go; undefined for a new folder. */
  readonly logs: string | undefined
}

export const usage = `Usage: npm run chaos -- [--minutes M] [--seed S] [--rate MESSAGES_PER_SECOND] [--workers N]
                        [--partitions N] [--brokers 1|3] [--only KIND,KIND] [--logs DIR] [--plan]

Real brokers, a database and workers under load, with faults after a schedule that the seed decides.
--plan prints the schedule and runs nothing. --only 'unclean election' has nothing but that.
`

/**
 * @param kinds - Those of actions that there are.
 * @throws UsageError with a line that says what is wrong.
 */
export function parseOptions(args: readonly string[], randomSeed: number, kinds: readonly string[]): ChaosOptions {
  const { values } = parse(args)
  return {
    minutes: numberOf('minutes', values.minutes, { fallback: 2, min: 0.1, max: 10_000 }),
    seed: numberOf('seed', values.seed, { fallback: randomSeed, min: 0, max: 2 ** 32 }),
    rate: numberOf('rate', values.rate, { fallback: 3000, min: 1, max: 100_000 }),
    workers: numberOf('workers', values.workers, { fallback: 3, min: 2, max: 16 }),
    partitions: numberOf('partitions', values.partitions, { fallback: 4, min: 1, max: 100 }),
    brokers: brokersOf(values.brokers),
    only: kindsOf(values.only, kinds),
    plan: values.plan,
    logs: values.logs,
  }
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const
  const options = {
    minutes: text,
    seed: text,
    rate: text,
    workers: text,
    partitions: text,
    brokers: text,
    only: text,
    logs: text,
    plan: { type: 'boolean', default: false },
  } as const
  try {
    return parseArgs({ args: [...args], options })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

/** Two would be of no use: each is needed for the other to have a controller. */
function brokersOf(given = '3'): number {
  if (given !== '1' && given !== '3') throw new UsageError(`--brokers ${given}: must be 1 or 3`)
  return Number(given)
}

function kindsOf(given: string | undefined, kinds: readonly string[]): string[] | undefined {
  const wanted = given?.split(',').map((kind) => kind.trim())
  const unknown = wanted?.find((kind) => !kinds.includes(kind))
  if (unknown === undefined) return wanted
  throw new UsageError(`--only '${unknown}': there is no such kind; there are ${kinds.join(', ')}`)
}
