import { parseArgs } from 'node:util'
import { type ContenderName, contenderNames } from './contenders.ts'
import { type ShapeName, shapeNames } from './shapes.ts'

/** What a run is told. */
export interface PeerOptions {
  /** In each topic; contenders that would take all day get fewer, see {@link Contender.maxMessages}. */
  readonly messages: number
  readonly rounds: number
  readonly peers: readonly ContenderName[]
  readonly shapes: readonly ShapeName[]
  /** Where the figures of every run go; nowhere when undefined. */
  readonly json: string | undefined
}

export const usage = `Usage: npm run bench:peers -- [--messages N] [--rounds N] [--peers NAMES] [--shapes NAMES] [--json FILE]

The same job, prices in Kafka to windows in PostgreSQL, by market-kpi and by others, on this machine.

  --messages N    in each topic (default 1000000)
  --rounds N      every contender once in each (default 3)
  --peers NAMES   ${contenderNames.join(',')}
                  (default all)
  --shapes NAMES  ${shapeNames.join(',')} (default both)
  --json FILE     writes the figures of every run there
`

export class UsageError extends Error {}

const minMessages = 1000
const maxMessages = 1_000_000_000
const maxRounds = 100

/** @throws UsageError with a line that says what is wrong. */
export function parseOptions(args: readonly string[]): PeerOptions {
  const values = parse(args)
  return {
    messages: wholeNumber('messages', values.messages, { min: minMessages, max: maxMessages }),
    rounds: wholeNumber('rounds', values.rounds, { min: 1, max: maxRounds }),
    peers: names('peers', values.peers, contenderNames),
    shapes: names('shapes', values.shapes, shapeNames),
    json: values.json,
  }
}

function parse(args: readonly string[]) {
  const options = {
    messages: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
    peers: { type: 'string', default: contenderNames.join(',') },
    shapes: { type: 'string', default: shapeNames.join(',') },
    json: { type: 'string' },
  } as const
  try {
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function wholeNumber(name: string, text: string, { min, max }: { min: number; max: number }): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  throw new UsageError(`--${name} ${text}: must be a whole number from ${min} to ${max}`)
}

/** In the order of the list, each once. */
function names<N extends string>(option: string, text: string, all: readonly N[]): N[] {
  const asked = text.split(',')
  const unknown = asked.find((name) => !(all as readonly string[]).includes(name))
  if (unknown !== undefined) throw new UsageError(`--${option}: no '${unknown}'; there are ${all.join(', ')}`)
  return all.filter((name) => asked.includes(name))
}
