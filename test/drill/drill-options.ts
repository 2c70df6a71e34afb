import { parseArgs } from 'node:util'
import { numberOf, UsageError } from '../number-option.ts'
import { type ScenarioName, scenarioNames } from './scenario-names.ts'

export interface DrillOptions {
  /** Of every duration: 1 for the defaults of the settings. */
  readonly scale: number
  readonly only: readonly ScenarioName[]
  /** Before scaling; 0 for none. */
  readonly healthyMinutes: number
  /** Where the figures go as JSON. */
  readonly json: string | undefined
  /** Where the logs go; undefined for a new folder. */
  readonly logs: string | undefined
}

export const usage = `Usage: npm run drill -- [--scale 0.1] [--only NAME,…] [--healthy-minutes M] [--json FILE] [--logs DIR]

A real pipeline of its own, healthy at first; then one fault after the other: what is told, how soon, and what should not
have been. Prints a table, and ends with 1 when something was missed.

  --scale S            shortens thresholds, intervals and patience (default: 1)
  --only NAME,…        these faults only: ${scenarioNames.join(', ').replace(/(.{60,80}), /g, '$1,\n                       ')}
  --healthy-minutes M  of a bursty feed at the end, in which nothing may be told; scaled too (default: 30)
  --json FILE          writes the figures
  --logs DIR           keeps the logs of all parts there
`

/** @throws UsageError with a line that says what is wrong. */
export function parseOptions(args: readonly string[]): DrillOptions {
  const { values } = parse(args)
  return {
    scale: numberOf('scale', values.scale, { fallback: 1, min: 0.05, max: 10 }),
    healthyMinutes: numberOf('healthy-minutes', values['healthy-minutes'], { fallback: 30, min: 0, max: 10_000 }),
    only: values.only === undefined ? scenarioNames : namesOf(values.only),
    json: values.json,
    logs: values.logs,
  }
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const
  const options = { scale: text, only: text, 'healthy-minutes': text, json: text, logs: text } as const
  try {
    return parseArgs({ args: [...args], options })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

/** In the order of the drill, however they were named. */
function namesOf(list: string): ScenarioName[] {
  const asked = list.split(',')
  const stranger = asked.find((name) => !(scenarioNames as readonly string[]).includes(name))
  if (stranger !== undefined) {
    throw new UsageError(`--only ${stranger}: there is no such fault; there are ${scenarioNames.join(', ')}`)
  }
  return scenarioNames.filter((name) => asked.includes(name))
}
