import { expect, it } from 'vitest'
import { checkFlags } from '../../../../src/cli/dead-letters/retry.ts'

const place = { partition: 0, offset: 7 }
const all = { all: true } as const

it.each([
  ['neither a place nor --all', undefined, {}],
  ['a place and --all', place, all],
  ['two values', place, { value: '{}', file: 'x' }],
  ['a value for all', undefined, { ...all, value: '{}' }],
  ['a file for all', undefined, { ...all, file: 'x' }],
  ['a reason for one', place, { reason: 'empty' }],
])('refuses %s', (_what, where, flags) => {
  expect(() => checkFlags(where, flags)).toThrow(expect.objectContaining({ code: 'KPI_USAGE' }))
})

it.each([
  ['one', place, {}],
  ['one with a value', place, { value: '{}' }],
  ['all', undefined, all],
  ['all of a reason', undefined, { ...all, reason: 'empty' }],
])('takes %s', (_what, where, flags) => {
  checkFlags(where, flags)
})
