import { describe, expect, it } from 'vitest'
import type { RowCheck } from '../../../../bench/peers/compare-rows.ts'
import { type ContenderName, contenderNames } from '../../../../bench/peers/contenders.ts'
import {
  isGood,
  type LeftOut,
  type Outcome,
  type Result,
  ratiosTo,
  resultsTable,
} from '../../../../bench/peers/results.ts'

const right: RowCheck = { expected: 350, missing: 0, extra: 0, wrong: 0, example: null }
const versions = Object.fromEntries(contenderNames.map((name) => [name, name === 'flink' ? 'Flink 2' : ''])) as Record<
  ContenderName,
  string
>

function done(seconds: number, check: RowCheck | null = right): Outcome {
  return { messages: 1000, seconds, startSeconds: 1, cpuSeconds: 2 * seconds, peakMemoryMb: 100 * seconds, check }
}

function result(round: number, contender: ContenderName, outcome: Outcome): Result {
  return { round, shape: 'narrow', contender, outcome }
}

/** The cells of each line below the heading. */
function lines(results: readonly Result[], leftOut: readonly LeftOut[] = []): string[][] {
  const rows = resultsTable(results, { versions, leftOut }).trimEnd().split('\n').slice(2)
  return rows.map((row) =>
    row
      .slice(1, -1)
      .split('|')
      .map((text) => text.trim()),
  )
}

const threeRounds = [
  result(1, 'market-kpi', done(1)),
  result(1, 'flink', done(4)),
  // Everything takes twice as long in this round.
  result(2, 'market-kpi', done(2)),
  result(2, 'flink', done(10)),
  result(3, 'market-kpi', done(1)),
  result(3, 'flink', done(6)),
]

describe('the ratio', () => {
  it('is taken within each round', () => {
    expect(ratiosTo('flink', 'narrow', threeRounds)).toEqual([4, 5, 6])
    expect(ratiosTo('flink', 'wide', threeRounds)).toEqual([])
  })

  it('leaves out rounds that one of the two did not finish', () => {
    const results = threeRounds.map((one) =>
      (one.round === 1 && one.contender === 'flink') || (one.round === 3 && one.contender === 'market-kpi')
        ? { ...one, outcome: { problem: 'ended' } }
        : one,
    )
    expect(ratiosTo('flink', 'narrow', results)).toEqual([5])
  })

  it('is of rates, where the topics differ in length', () => {
    const short = result(1, 'quix', { ...done(1), messages: 100 })
    expect(ratiosTo('quix', 'narrow', [result(1, 'market-kpi', done(1)), short])).toEqual([10])
  })
})

describe('the table', () => {
  it('has a line for each contender, with medians, spread and the highest memory', () => {
    expect(lines(threeRounds)).toEqual([
      ['narrow', 'market-kpi', '1,000', 'yes', '1,000 (500–1,000)', '2.0', '200', ''],
      ['narrow', 'flink (Flink 2)', '1,000', 'yes', '167 (100–250)', '12.0', '1000', '5.00×'],
    ])
  })

  it('says what is wrong with the rows, and in how many rounds', () => {
    const check = { ...right, wrong: 2, missing: 1, example: 'A|B 0: vwap' }
    const [, , , correct] = lines([result(1, 'flink', done(4)), result(2, 'flink', done(4, check))])[0] ?? []
    expect(correct).toBe('**no**, 1 of 2: 2 wrong, 1 missing and 0 unwanted rows of 350 (A/B 0: vwap)')
  })

  it('says why a contender has no figures', () => {
    expect(lines([result(1, 'flink', { problem: 'ended with 1:\nno | heap' })])).toEqual([
      ['narrow', 'flink (Flink 2)', '', '**no**, 1 of 1: ended with 1: no / heap', '', '', '', ''],
    ])
  })

  it('tells contenders that only receive from those whose rows are right', () => {
    expect(lines([result(1, 'raw-java', done(1, null))])[0]?.[3]).toBe('no rows')
  })

  it('names those that were left out, in as many cells as the heading has', () => {
    const leftOut: LeftOut[] = [{ contender: 'flink', why: "'mvn' is not in PATH" }]
    expect(lines([], leftOut)).toEqual([['', 'flink', "left out: 'mvn' is not in PATH", '', '', '', '', '']])
    const widths = resultsTable(threeRounds, { versions, leftOut })
      .trimEnd()
      .split('\n')
      .map((row) => row.split('|').length)
    expect(new Set(widths).size).toBe(1)
  })
})

it('a result is good when its rows are right, or there are none to be right', () => {
  expect(isGood(result(1, 'flink', done(1)))).toBe(true)
  expect(isGood(result(1, 'raw-java', done(1, null)))).toBe(true)
  expect(isGood(result(1, 'flink', done(1, { ...right, extra: 1 })))).toBe(false)
  expect(isGood(result(1, 'flink', { problem: 'ended' }))).toBe(false)
})
