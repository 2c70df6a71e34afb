import { expect, it } from 'vitest'
import { type LaneState, LaneStates } from '../../../src/consumer/lane-state.ts'

type Name = LaneState['name']
type Event = 'batchTaken' | 'commitFailed' | 'commitEnded' | 'reset' | 'readFailed' | 'positionsRead' | 'stop'

const ways: Readonly<Record<Name, readonly Event[]>> = {
  waiting: [],
  committing: ['batchTaken'],
  retrying: ['batchTaken', 'commitFailed'],
  resetting: ['reset'],
  stopped: ['stop'],
}

function happen(states: LaneStates, event: Event): void {
  if (event === 'batchTaken') states.batchTaken(new Set([1, 4]))
  else states[event]()
}

function statesIn(name: Name): LaneStates {
  const states = new LaneStates(() => undefined)
  for (const event of ways[name]) happen(states, event)
  return states
}

/** The state after each event, as the header of lane-state.ts says; `assertion` where it is a mistake of ours. */
const after: readonly [Name, Partial<Record<Event, Name | 'assertion'>>][] = [
  ['waiting', { batchTaken: 'committing', positionsRead: 'assertion', reset: 'resetting', stop: 'stopped' }],
  [
    'committing',
    { batchTaken: 'assertion', commitFailed: 'retrying', commitEnded: 'waiting', reset: 'resetting', stop: 'stopped' },
  ],
  [
    'retrying',
    { batchTaken: 'assertion', commitFailed: 'retrying', commitEnded: 'waiting', reset: 'resetting', stop: 'stopped' },
  ],
  [
    'resetting',
    {
      batchTaken: 'assertion',
      commitFailed: 'resetting',
      commitEnded: 'resetting',
      reset: 'resetting',
      readFailed: 'resetting',
      positionsRead: 'waiting',
      stop: 'stopped',
    },
  ],
  [
    'stopped',
    { commitFailed: 'stopped', commitEnded: 'stopped', reset: 'stopped', readFailed: 'stopped', stop: 'stopped' },
  ],
]

it.each(after)('a lane that is %s goes to the state that its header names', (name, events) => {
  for (const [event, expected] of Object.entries(events) as [Event, Name | 'assertion'][]) {
    const states = statesIn(name)
    expect(states.current.name).toBe(name)
    if (expected === 'assertion') {
      expect(() => happen(states, event), `${name}, then ${event}`).toThrow()
      continue
    }
    happen(states, event)
    expect(states.current.name, `${name}, then ${event}`).toBe(expected)
  }
})

it('a reset that repeats is another state than the one before it', () => {
  const states = statesIn('resetting')
  const before = states.current
  states.reset()
  expect(states.current).not.toBe(before)
})

it('only a batch that commits or retries is in flight', () => {
  expect(statesIn('committing').inFlight).toEqual(new Set([1, 4]))
  expect(statesIn('retrying').inFlight).toEqual(new Set([1, 4]))
  for (const name of ['waiting', 'resetting', 'stopped'] as const) expect(statesIn(name).inFlight).toBeUndefined()
})

it('a database that failed counts as failing until it answers, also through a reset', () => {
  const states = statesIn('retrying')
  states.reset()
  expect(states.isFailing).toBe(true)
  states.positionsRead()
  expect(states.isFailing).toBe(false)
  states.reset()
  expect(states.isFailing).toBe(false)
  states.readFailed()
  expect(states.isFailing).toBe(true)
})
