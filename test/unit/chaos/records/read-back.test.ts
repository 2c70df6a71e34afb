// What the oracle of chaos takes for right where an unclean election cut the log.
import { expect, it } from 'vitest'
import type { RecordedGap } from '../../../chaos/records/gaps.ts'
import { knownMessage, nameOf } from '../../../chaos/records/known-messages.ts'
import { Oracle } from '../../../chaos/records/oracle.ts'
import type { LogEntry } from '../../../chaos/records/partition-log.ts'
import { readBack, type Stretch } from '../../../chaos/records/read-back.ts'

const seed = 5

interface Written {
  readonly index: number
  readonly epoch?: number
}

/** A partition's log of messages of the load, from offset 0. */
function logOf(written: readonly Written[]): LogEntry[] {
  return written.map(({ index, epoch = 0 }, offset) => ({
    offset,
    epoch,
    kind: 'message',
    value: knownMessage(seed, index).value,
    name: nameOf(seed, index),
  }))
}

function stretchOf(stretch: Partial<Stretch>): Stretch {
  const sent = { indexes: [[0, 1, 2, 3, 4, 5, 6, 7]], gaveUp: false }
  return { seed, sent, transactions: [], logs: [], losses: new Map(), gaps: [], ...stretch }
}

const all = [0, 1, 2, 3, 4, 5, 6, 7].map((index) => ({ index }))
/** The leader had taken in 0 to 5, its follower 0 to 1: the log goes on with 6 and 7 at offset 2. */
const lost = logOf(all.slice(0, 6))
const log = logOf([{ index: 0 }, { index: 1 }, { index: 6, epoch: 2 }, { index: 7, epoch: 2 }])
const cut = stretchOf({ logs: [log], losses: new Map([[0, lost]]) })
const gap: RecordedGap = { partition: 0, kind: 'cut', fromOffset: 2, toOffset: 5 }

function rowsAfter(stretch: Stretch) {
  const oracle = new Oracle()
  const letters = readBack(stretch, oracle)
  const [counts] = oracle.partitions
  return { counts, letters: letters.size, n: [...oracle.rows().values()].reduce((sum, row) => sum + countIn(row), 0) }
}

/** The second column. */
const countIn = (row: string) => Number(row.split(' ')[1])

it('without a cut everything that was sent counts', () => {
  expect(rowsAfter(stretchOf({ logs: [logOf(all)] })).counts).toMatchObject({ nextOffset: 8, rewound: 0 })
})

it('a message that was acknowledged and is not there is an error', () => {
  expect(() => rowsAfter(stretchOf({ logs: [logOf(all.slice(0, 7))] }))).toThrow('has 7 of the 8 messages')
  expect(() => rowsAfter(stretchOf({ logs: [logOf([...all.slice(0, 3), ...all.slice(4)])] }))).toThrow(
    'nobody sent there',
  )
})

it('a message that is there twice is an error', () => {
  expect(() => rowsAfter(stretchOf({ logs: [logOf([...all.slice(0, 3), ...all.slice(2)])] }))).toThrow(
    'nobody sent there',
  )
})

it('where the log was cut and nothing of it was counted, the log is what counts', () => {
  const { counts, n } = rowsAfter(cut)
  expect(counts).toMatchObject({ nextOffset: 4, rewound: 0 })
  expect(n + (counts?.rejected ?? 0)).toBe(4)
})

it('what a gap says was counted and is gone stays in the rows, once', () => {
  const { counts, n } = rowsAfter({ ...cut, gaps: [gap] })
  expect(counts).toMatchObject({ nextOffset: 4, rewound: 3 })
  expect(n + (counts?.rejected ?? 0)).toBe(7)
})

it.each([
  ['begins before the cut, so that messages would count twice', { fromOffset: 1 }],
  ['begins behind the cut, so that messages would not count', { fromOffset: 3 }],
  ['ends behind what the leader had', { toOffset: 7 }],
  ['is of another kind', { kind: 'deleted' }],
])('a gap that %s is an error', (_what, wrong) => {
  expect(() => rowsAfter({ ...cut, gaps: [{ ...gap, ...wrong }] })).toThrow('does not fit the log')
})

it('a gap where the log was not cut is an error', () => {
  expect(() => rowsAfter(stretchOf({ logs: [logOf(all)], gaps: [gap] }))).toThrow('it was not cut')
})

it('of an aborted transaction nothing may count, of a committed one all that was acknowledged', () => {
  const [entry] = logOf([{ index: 0 }])
  const of = (kind: LogEntry['kind']) => {
    const { value } = knownMessage('other', 0)
    return { ...(entry as LogEntry), kind, value, name: nameOf('other', 0) }
  }
  const sent = { indexes: [[]], gaveUp: false }
  const stretch = (kind: LogEntry['kind'], outcome: 'committed' | 'aborted') =>
    stretchOf({ sent, logs: [[of(kind)]], transactions: [{ stream: 'other', count: 1, outcome }] })
  expect(rowsAfter(stretch('aborted', 'aborted')).counts).toMatchObject({ nextOffset: 1, withoutMessage: 1 })
  expect(rowsAfter(stretch('message', 'committed')).counts).toMatchObject({ nextOffset: 1, withoutMessage: 0 })
  expect(() => rowsAfter(stretch('message', 'aborted'))).toThrow('was aborted, and 1 of its messages count')
  expect(() => rowsAfter(stretch('aborted', 'committed'))).toThrow('0 of 1 messages are there')
  expect(() => rowsAfter(stretch('open', 'committed'))).toThrow('still open')
})
