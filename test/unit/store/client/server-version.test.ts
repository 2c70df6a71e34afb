import { expect, it } from 'vitest'
import { isNewEnough } from '../../../../src/store/schema/schema.ts'

it.each(['16', '16.4', '18.4', '17.2 (Debian 17.2-1.pgdg120+1)', '18beta1', '19devel'])(
  'PostgreSQL %s is new enough',
  (version) => {
    expect(isNewEnough(version)).toBe(true)
  },
)

it.each(['15.13 (Debian 15.13-0+deb12u1)', '9.6.24', '8.4', '15rc1', '', 'unknown'])(
  "PostgreSQL '%s' is not",
  (version) => {
    expect(isNewEnough(version)).toBe(false)
  },
)
