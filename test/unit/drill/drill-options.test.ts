import { expect, it } from 'vitest'
import { parseOptions, usage } from '../../drill/drill-options.ts'
import { scenarioNames } from '../../drill/scenario-names.ts'
import { UsageError } from '../../number-option.ts'

it('tries everything at full length when told nothing', () => {
  expect(parseOptions([])).toEqual({
    scale: 1,
    only: scenarioNames,
    healthyMinutes: 30,
    json: undefined,
    logs: undefined,
  })
})

it('takes faults in its own order', () => {
  expect(parseOptions(['--only', 'feed-stopped,broker-killed', '--scale', '0.1'])).toMatchObject({
    scale: 0.1,
    only: ['broker-killed', 'feed-stopped'],
  })
})

it.each([
  [['--scale', 'slow'], '--scale slow: must be a number from 0.05 to 10'],
  [['--scale', '0'], '--scale 0: must be a number from 0.05 to 10'],
  [['--only', 'fire'], '--only fire: there is no such fault'],
  [['--healthy-minutes', '-1'], 'healthy-minutes'],
  [['--nonsense'], '--nonsense'],
])('refuses %j', (args, why) => {
  expect(() => parseOptions(args)).toThrow(UsageError)
  expect(() => parseOptions(args)).toThrow(why)
})

it('names every fault in its help', () => {
  for (const name of scenarioNames) expect(usage).toContain(name)
})
