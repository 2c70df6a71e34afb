import { expect, it } from 'vitest'
import { storableTimestampMs } from '../../../src/kpi/dead-letter-limits.ts'

it('only a timestamp from 1970 to the year 9999 is stored', () => {
  const last = Date.UTC(9999, 11, 31, 23, 59, 59, 999)
  expect([0, 1_771_079_400_123, last].map(storableTimestampMs)).toEqual([0, 1_771_079_400_123, last])
  expect([-1, last + 1, 2 ** 63, null].map(storableTimestampMs)).toEqual([null, null, null, null])
})
