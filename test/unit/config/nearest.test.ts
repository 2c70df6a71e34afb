import { expect, it } from 'vitest'
import { nearest, suggestion } from '../../../src/config/nearest.ts'

const names = ['KafkaUnreachable', 'KpiStale', 'Watchdog', 'slack']

it.each([
  ['KafkaUnreachible', 'KafkaUnreachable'],
  ['kpistale', 'KpiStale'],
  ['KpiStael', 'KpiStale'],
  ['slak', 'slack'],
  ['Nonsense', undefined],
  ['', undefined],
])('of %s the nearest name is %s', (text, expected) => {
  expect(nearest(text, names)).toBe(expected)
})

it('names all where none is near', () => {
  expect(suggestion('slak', names)).toBe("did you mean 'slack'?")
  expect(suggestion('zzzz', names)).toBe('there are KafkaUnreachable, KpiStale, Watchdog, slack')
})
