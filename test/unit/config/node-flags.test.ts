import { expect, it } from 'vitest'
import { nodeFlags } from '../../../src/config/node-flags.ts'

it.each([
  [[], ['--max-semi-space-size=2']],
  [['--inspect'], ['--inspect', '--max-semi-space-size=2']],
  [['--max-semi-space-size=2'], ['--max-semi-space-size=2']],
  [
    ['--max-semi-space-size=16', '--inspect'],
    ['--max-semi-space-size=16', '--inspect'],
  ],
])('with %j a process of ours is started with %j', (given, expected) => {
  expect(nodeFlags(given)).toEqual(expected)
})
