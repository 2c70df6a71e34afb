import { expect, it } from 'vitest'
import { type Kind, kindNames, makePlan, planText, type Target } from '../../chaos/plan.ts'

const options = { seed: 7, minutes: 10, workers: 3, brokers: 3, only: undefined }
const seeds = Array.from({ length: 50 }, (_, seed) => seed)

/** The rounds of a seed's plan, each with its seed. */
function roundsOf(changed: { seed: number; only?: readonly Kind[] }) {
  return makePlan({ ...options, ...changed }).map(({ actions }) => ({ seed: changed.seed, actions }))
}

it('is the same for the same seed, and differs for another seed', () => {
  expect(planText(makePlan(options))).toBe(planText(makePlan(options)))
  expect(planText(makePlan({ ...options, seed: 8 }))).not.toBe(planText(makePlan(options)))
})

it('never has two actions on one target at the same time', () => {
  for (const { seed, actions } of seeds.flatMap((seed) => roundsOf({ seed }))) {
    const freeAtMs = new Map<Target, number>()
    for (const { atMs, forMs, target } of actions) {
      expect(atMs, `seed ${seed}`).toBeGreaterThanOrEqual(freeAtMs.get(target) ?? 0)
      freeAtMs.set(target, atMs + forMs)
    }
  }
})

it('has every kind of action in ten minutes, and leaves the first worker alive', () => {
  const actions = makePlan(options).flatMap((round) => round.actions)
  expect(new Set(actions.map(({ kind }) => kind)).size).toBe(kindNames.length)
  const harmed = actions.filter(({ kind }) => kind === 'kill worker' || kind === 'restart worker')
  expect(new Set(harmed.map(({ target }) => target))).toEqual(new Set(['worker 2', 'worker 3']))
})

it('has nothing that needs several brokers where there is one', () => {
  const kinds = new Set(makePlan({ ...options, brokers: 1 }).flatMap(({ actions }) => actions.map(({ kind }) => kind)))
  expect(kinds).not.toContain('unclean election')
  expect(kinds).toContain('kill broker')
})

it('has one unclean election a round at most', () => {
  const only = ['unclean election', 'kill worker'] as const
  for (const { seed, actions } of seeds.flatMap((seed) => roundsOf({ seed, only }))) {
    expect(actions.filter(({ kind }) => kind === 'unclean election').length, `seed ${seed}`).toBeLessThanOrEqual(1)
    expect(actions.length, `seed ${seed}`).toBeGreaterThan(1)
  }
})
