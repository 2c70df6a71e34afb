import { describe, expect, it } from 'vitest'
import { clean, cutTo, padTo, widthOf, wrapTo } from '../../../src/monitor/cell-text.ts'
import {
  ageText,
  changeText,
  percentText,
  priceText,
  rateText,
  shortNumber,
  trimmed,
} from '../../../src/monitor/number-text.ts'
import { sparkline } from '../../../src/monitor/sparkline.ts'
import { bytesText } from '../../../src/runtime/number-text.ts'

describe('clean', () => {
  it.each([
    ['BRK.B', 'BRK.B'],
    ['a\u001b[31mred\u001b[0m', 'a red '],
    ['a\u001b]0;title\u0007b', 'a b'],
    ['a\u001b]0;never ended', 'a '],
    ['a\u001b', 'a '],
    ['a\u009b2Jb', 'a 2Jb'],
    ['two\r\nlines', 'two lines'],
    ['\u202eturned', ' turned'],
    ['价格 é 👩‍👩‍👧', '价格 é 👩‍👩‍👧'],
  ])('%j', (text, wanted) => {
    expect(clean(text)).toBe(wanted)
  })
})

describe('widthOf', () => {
  it.each([
    ['', 0],
    ['AAPL', 4],
    ['é', 1],
    ['e\u0301', 1],
    ['价格', 4],
    ['カタ', 4],
    ['한글', 4],
    ['ＡＢ', 4],
    ['👍', 2],
    ['👩‍👩‍👧', 2],
    ['🇩🇪', 2],
    ['▁█─✓', 4],
  ])('%j', (text, width) => {
    expect(widthOf(text)).toBe(width)
  })
})

it('cuts between letters, never through one', () => {
  expect(cutTo('market', 6)).toBe('market')
  expect(cutTo('market', 5)).toBe('mark…')
  expect(cutTo('价格監視', 5)).toBe('价格…')
  expect(cutTo('价格監視', 4)).toBe('价…')
  expect(cutTo('market', 0)).toBe('')
  expect(padTo('价', 4)).toBe('价  ')
  expect(padTo('12', 4, 'right')).toBe('  12')
})

it('breaks lines at spaces, and cuts the last', () => {
  expect(wrapTo('one two three four', 9, 3)).toEqual(['one two', 'three', 'four'])
  expect(wrapTo('one two three four', 9, 2)).toEqual(['one two', 'three fo…'])
  expect(wrapTo('unbreakable', 5, 2)).toEqual(['unbr…'])
})

describe('numbers', () => {
  it.each([
    [() => bytesText(999), '999 B'],
    [() => bytesText(1000), '1.0 kB'],
    [() => bytesText(999_949), '999.9 kB'],
    [() => bytesText(999_950), '1.0 MB'],
    [() => ageText(119.9), '119 s'],
    [() => ageText(120), '2 min'],
    [() => ageText(7199), '119 min'],
    [() => ageText(7200), '2 h'],
    [() => ageText(172_800), '2 d'],
    [() => ageText(-3), '0 s'],
    [() => percentText(0), '0 %'],
    [() => percentText(0.0123), '0.012 %'],
    [() => percentText(9.99), '10 %'],
    [() => percentText(71.84), '71.8 %'],
    [() => rateText(0), '0/s'],
    [() => rateText(0.4), '0.4/s'],
    [() => rateText(12_345.6), '12,346/s'],
    [() => shortNumber(9_999), '9999'],
    [() => shortNumber(12_345), '12.3k'],
    [() => shortNumber(999_950), '1M'],
    [() => shortNumber(1_234_567), '1.23M'],
    [() => shortNumber(-1_234_567), '-1.23M'],
    [() => shortNumber(3e15), '3.0e15'],
    [() => priceText('187.18', 9), '187.18'],
    [() => priceText('187.12345678', 9), '187.12346'],
    [() => priceText('-0.12345678', 9), '-0.123457'],
    [() => priceText('123456789.12345678', 9), '123456789'],
    [() => priceText('123456789012.5', 9), '1.23e11'],
    [() => priceText('0.000000123789', 9), '1.2379e-7'],
    [() => priceText('-0.000000123789', 9), '-1.238e-7'],
    [() => priceText('0.00000012', 9), '1.2000e-7'],
    [() => priceText('0.000123456789', 9), '0.0001235'],
    [() => priceText('0.000000000000000001', 9), '1.000e-18'],
    [() => priceText('0.000000000000000000', 9), '0.0000000'],
    [() => changeText(null), ''],
    [() => changeText(0.004), '0.00 %'],
    [() => changeText(-0.004), '0.00 %'],
    [() => changeText(1.255), '+1.25 %'],
    [() => changeText(-99.994), '-99.99 %'],
    [() => changeText(-99.996), '-100 %'],
    [() => changeText(123_456), '>9999 %'],
    [() => trimmed('120.48000000'), '120.48'],
    [() => trimmed('1200'), '1200'],
    [() => trimmed('7.00000000'), '7'],
  ])('%s', (text, wanted) => {
    expect(text()).toBe(wanted)
  })
})

describe('sparkline', () => {
  it.each([
    [[], '    '],
    [[0, 0], '  ▁▁'],
    [[0, 7, null, 14], '▁▅·█'],
    [[1, 2, 3, 4, 5], '▄▆▇█'],
    [[null], '   ·'],
  ])('%j', (values, wanted) => {
    expect(sparkline(values, 4)).toBe(wanted)
  })
})
