import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  addInteger,
  addProduct,
  integerSum,
  limbInverse,
  limbRange,
  limbUnit,
  productSum,
} from '../../../src/kpi/limbs.ts'
import { propertyRuns } from './property-runs.ts'

/** Integers below 2^52 in magnitude, the extremes often among them. */
const factor = fc.oneof(
  fc.maxSafeInteger().map((x) => Math.trunc(x / 2)),
  fc.integer({ min: -200_000, max: 200_000 }),
  fc.constantFrom(0, 1, -1, limbRange - 1, 1 - limbRange, limbUnit, -limbUnit, limbUnit - 1, 2 ** 51, -(2 ** 51)),
)

function split(x: number): [number, number] {
  const high = Math.floor(x * limbInverse)
  return [high, x - high * limbUnit]
}

it('sums products exactly', () => {
  const pairs = fc.array(fc.tuple(factor, factor), { minLength: 1, maxLength: 400 })
  fc.assert(
    fc.property(pairs, (products) => {
      const limbs = new Float64Array(6)
      for (const [a, b] of products) addProduct(limbs, 1, ...split(a), ...split(b))
      const exact = products.reduce((sum, [a, b]) => sum + BigInt(a) * BigInt(b), 0n)
      expect(productSum(limbs, 1)).toBe(exact)
      expect([limbs[0], limbs[5]]).toEqual([0, 0])
    }),
    propertyRuns,
  )
})

it('sums integers exactly', () => {
  fc.assert(
    fc.property(fc.array(factor, { maxLength: 400 }), (values) => {
      const limbs = new Float64Array(2)
      for (const value of values) addInteger(limbs, 0, value)
      expect(integerSum(limbs, 0)).toBe(values.reduce((sum, value) => sum + BigInt(value), 0n))
    }),
    propertyRuns,
  )
})

it.each([limbRange - 1, 1 - limbRange, limbUnit - 1])('sums many products of the extreme %s', (x) => {
  const limbs = new Float64Array(4)
  const count = 100_000
  for (let i = 0; i < count; i++) addProduct(limbs, 0, ...split(x), ...split(x))
  expect(productSum(limbs, 0)).toBe(BigInt(count) * BigInt(x) * BigInt(x))
})

it('sums prices of 50 bits, where a missing carry of the top limb shows', () => {
  const close = 5_000_000 * 1e8
  const volume = limbRange - 1
  const limbs = new Float64Array(4)
  for (let i = 0; i < 60_000; i++) addProduct(limbs, 0, ...split(close), ...split(volume))
  expect(productSum(limbs, 0)).toBe(60_000n * BigInt(close) * BigInt(volume))
})
