import { expect, it } from 'vitest'
import { table } from '../../../../src/cli/text/table.ts'
import { counted } from '../../../../src/runtime/number-text.ts'

it('aligns columns under their titles', () => {
  const text = table(
    [{ title: 'offset', align: 'right' }, { title: 'reason' }, { title: '' }],
    [
      ['7', 'empty', 'x'],
      ['1234567', 'not_json', ''],
    ],
  )
  expect(text).toBe(' offset  reason\n      7  empty     x\n1234567  not_json\n')
})

it('counts in words', () => {
  expect([counted(0, 'row'), counted(1, 'row'), counted(1234, 'row')]).toEqual(['0 rows', '1 row', '1,234 rows'])
})
