import { expect, it } from 'vitest'
import { startUpSeries } from '../../../../src/bench/start-up/start-up.ts'
import { startUpText } from '../../../../src/bench/start-up/text.ts'

const report = {
  nodeCpuSeconds: [0.03, 0.02, 0.04],
  cases: [
    { command: '--version', target: 4, cpuSeconds: [0.06, 0.03, 0.09] },
    { command: 'health', target: 25, cpuSeconds: [0.9, 0.6, 0.78] },
  ],
}

it('compares by multiples of the median of node -e 0', () => {
  const [version, health] = startUpSeries(report)
  expect(version).toMatchObject({ name: 'start-up: --version', better: 'lower' })
  expect(version?.values.map(Math.round)).toEqual([200, 100, 300])
  expect(health?.values.map(Math.round)).toEqual([3000, 2000, 2600])
})

it('says of each command whether it reaches its target', () => {
  const lines = startUpText(report).split('\n')
  expect(lines).toContain('| --version | 2.0 (1.0 to 3.0) | ≤ 4 | yes | 60 |')
  expect(lines).toContain('| health | 26.0 (20.0 to 30.0) | ≤ 25 | NO | 780 |')
})
