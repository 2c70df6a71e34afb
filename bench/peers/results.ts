import { median } from '../../src/bench/report/statistics.ts'
import { isCorrect, type RowCheck } from './compare-rows.ts'
import { type ContenderName, contenderNames } from './contenders.ts'
import type { PeerRun } from './peer-process.ts'
import { type ShapeName, shapeNames } from './shapes.ts'

/** What one contender did in one round. */
export interface Result {
  readonly round: number
  readonly shape: ShapeName
  readonly contender: ContenderName
  readonly outcome: Outcome
}

export type Outcome = (PeerRun & { readonly check: RowCheck | null }) | { readonly problem: string }
type Done = Exclude<Outcome, { problem: string }>

/** A contender that did not run at all, and why. */
export interface LeftOut {
  readonly contender: ContenderName
  readonly why: string
}

export interface Titles {
  readonly versions: Readonly<Record<ContenderName, string>>
  readonly leftOut: readonly LeftOut[]
}

const ours: ContenderName = 'market-kpi'

export const isGood = ({ outcome }: Result): boolean =>
  !('problem' in outcome) && (outcome.check === null || isCorrect(outcome.check))

const heading = `| topic | contender | messages | correct | messages/s, median (lowest–highest) | CPU s | peak MB | ${ours} is |
| --- | --- | --- | --- | --- | --- | --- | --- |
`

/** One Markdown table: a line for each topic and contender. */
export function resultsTable(results: readonly Result[], { versions, leftOut }: Titles): string {
  const lines = shapeNames.flatMap((shape) =>
    contenderNames.map((contender) => {
      const group = results.filter((result) => result.shape === shape && result.contender === contender)
      return line(group, results, versions)
    }),
  )
  const absent = leftOut.map(({ contender, why }) => `| | ${contender} | left out: ${cell(why)} | | | | | |\n`)
  return [heading, ...lines, ...absent].join('')
}

function line(group: readonly Result[], all: readonly Result[], versions: Titles['versions']): string {
  const [first] = group
  if (!first) return ''
  const { shape, contender } = first
  const version = versions[contender]
  const name = version === '' ? contender : `${contender} (${version})`
  const done = group.flatMap(({ outcome }) => ('problem' in outcome ? [] : [outcome]))
  const cells = done[0]
    ? [thousands(done[0].messages), correctText(group), ratesText(done), ...processTexts(done), ratioText(first, all)]
    : ['', correctText(group), '', '', '', '']
  return `| ${[shape, name, ...cells].join(' | ')} |\n`
}

/** `yes`, or in how many of the rounds it was not, and what was wrong first. */
function correctText(group: readonly Result[]): string {
  const bad = group.filter((result) => !isGood(result)).map(({ outcome }) => problemOf(outcome))
  if (bad.length > 0) return `**no**, ${bad.length} of ${group.length}: ${cell(bad[0] ?? '')}`
  return group.every(({ outcome }) => 'check' in outcome && outcome.check === null) ? 'no rows' : 'yes'
}

export function problemOf(outcome: Outcome): string {
  if ('problem' in outcome) return outcome.problem
  const { check } = outcome
  if (!check || isCorrect(check)) return ''
  const { wrong, missing, extra, expected, example } = check
  return `${wrong} wrong, ${missing} missing and ${extra} unwanted rows of ${expected} (${example})`
}

function ratesText(done: readonly Done[]): string {
  const rates = done.map(rateOf)
  return `${thousands(median(rates))} (${thousands(Math.min(...rates))}–${thousands(Math.max(...rates))})`
}

function processTexts(done: readonly Done[]): string[] {
  const cpu = median(done.map(({ cpuSeconds }) => cpuSeconds))
  const memory = Math.max(...done.map(({ peakMemoryMb }) => peakMemoryMb))
  return [cpu.toFixed(1), memory.toFixed(0)]
}

/** How many times faster market-kpi was in the same round: this machine's speed changes between rounds. */
function ratioText({ shape, contender }: Result, all: readonly Result[]): string {
  if (contender === ours) return ''
  const ratios = ratiosTo(contender, shape, all)
  if (ratios.length === 0) return ''
  const ratio = median(ratios)
  return `${ratio < 10 ? ratio.toFixed(2) : thousands(ratio)}×`
}

/** Of market-kpi's rate to a contender's, for each round in which both came to an end. */
export function ratiosTo(contender: ContenderName, shape: ShapeName, all: readonly Result[]): number[] {
  const rates = (name: ContenderName) =>
    new Map(
      all.flatMap((result) =>
        result.contender === name && result.shape === shape && !('problem' in result.outcome)
          ? [[result.round, rateOf(result.outcome)] as const]
          : [],
      ),
    )
  const theirs = rates(contender)
  return [...rates(ours)].flatMap(([round, rate]) => {
    const their = theirs.get(round)
    return their === undefined ? [] : [rate / their]
  })
}

export function rateOf({ messages, seconds }: Pick<PeerRun, 'messages' | 'seconds'>): number {
  return messages / seconds
}

export function thousands(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** A text that ends no cell of a table. */
function cell(text: string): string {
  return text.replaceAll('|', '/').replaceAll('\n', ' ')
}
