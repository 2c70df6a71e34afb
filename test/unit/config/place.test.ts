import { hostname } from 'node:os'
import { expect, it } from 'vitest'
import { placeOfProcess } from '../../../src/config/place.ts'

const http = 'http://127.0.0.1:9465'

it.each([
  ['the port where it serves', undefined, {}, `${hostname()} port 9465`],
  ['the port that was asked for', 9465, {}, `${hostname()} port 9465`],
  ['nothing, where the system chose the port', 0, {}, null],
  [
    'what its supervisor says, whatever the port',
    0,
    { MARKET_KPI_PLACE: '/data worker-2' },
    `${hostname()} /data worker-2`,
  ],
])('a place is %s', (_, asked, env, expected) => {
  expect(placeOfProcess(asked, http, env)).toBe(expected)
})
