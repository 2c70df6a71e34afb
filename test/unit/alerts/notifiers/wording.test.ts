import { expect, it } from 'vitest'
import { clip, headline, isWebAddress, title } from '../../../../src/alerts/notifiers/wording.ts'
import { aNotification, anAlert, resolved } from './samples.ts'

it.each([
  [
    'what fires, of what fires and what is over',
    [anAlert(), resolved(anAlert({ rule: 'KpiStale' }))],
    '[FIRING:1] market-prices: ConsumerStalled',
  ],
  ['each rule once', [anAlert(), anAlert({ labels: { partition: '3' } })], '[FIRING:2] market-prices: ConsumerStalled'],
  [
    'what is over',
    [resolved(), resolved(anAlert({ rule: 'KpiStale' }))],
    '[RESOLVED:2] market-prices: ConsumerStalled, KpiStale',
  ],
  [
    'four rules and how many more',
    'ABCDEF'.split('').map((rule) => anAlert({ rule })),
    '[FIRING:6] market-prices: A, B, C, D and 2 more',
  ],
])('a title names %s', (_, alerts, expected) => {
  expect(title(aNotification({ alerts }))).toBe(expected)
})

it('a title says when it is only a test', () => {
  expect(title(aNotification({ reason: 'test' }))).toBe('[TEST] [FIRING:1] market-prices: ConsumerStalled')
})

it('a headline is one line', () => {
  expect(headline(anAlert({ summary: 'a\n b\u0007', labels: { x: '\r\n' } }))).toBe(
    '🔴 [CRITICAL] ConsumerStalled: a b (x= )',
  )
})

it('what is cut shows it, and tears no character', () => {
  expect(clip('abcd', 4)).toBe('abcd')
  expect(clip('abcde', 4)).toBe('abc…')
  expect(clip('ab🔴cd', 4)).toBe('ab…')
})

it.each([
  [null, false],
  ['docs/alerts/KpiStale.md', false],
  ['https://docs.example/alerts/KpiStale.md', true],
  ['https://', false],
  ['javascript:alert(1)', false],
])('whether %s can be opened by a click', (url, expected) => {
  expect(isWebAddress(url)).toBe(expected)
})
