import fc from 'fast-check'
import pg from 'pg'
import { expect, it } from 'vitest'
import { byteaArray, namedCallSql, numberArray, textArray } from '../../../../src/store/client/sql-values.ts'
import { propertyRuns } from '../../kpi/property-runs.ts'

const textArrayOid = 1009
const byteaArrayOid = 1001

/** As node-postgres reads arrays; the integration tests of the commit show that PostgreSQL reads them alike. */
function read(oid: number, text: string): unknown {
  return pg.types.getTypeParser(oid, 'text')(text)
}

it('a text[] returns the texts as they were, whatever characters they hold', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('', 'NULL', 'null', '{}', ',', '"', '\\', '\\"', ' '),
  )
  fc.assert(
    fc.property(fc.array(fc.option(text)), (values) => {
      expect(read(textArrayOid, textArray(values))).toEqual(values)
    }),
    propertyRuns,
  )
})

it('a bytea[] returns the bytes as they were', () => {
  const bytes = fc.uint8Array({ maxLength: 50 })
  fc.assert(
    fc.property(fc.array(fc.option(bytes)), (values) => {
      const found = read(byteaArrayOid, byteaArray(values)) as (Buffer | null)[]
      expect(found.map((value) => value && [...value])).toEqual(values.map((value) => value && [...value]))
    }),
    propertyRuns,
  )
})

it('of a part of a larger buffer only that part is written', () => {
  expect(byteaArray([Buffer.from('abcdef').subarray(2, 4)])).toBe('{"\\\\x6364"}')
})

it('numbers are written in full', () => {
  expect(numberArray([0, -1, null, 2 ** 53 - 1, 253_402_300_799_999_000])).toBe(
    '{0,-1,NULL,9007199254740991,253402300799999000}',
  )
  expect([numberArray([]), textArray([]), byteaArray([])]).toEqual(['{}', '{}', '{}'])
})

it('a call passes its values by the names of the parameters', () => {
  expect(namedCallSql('f', ['p_b', 'p_a'])).toBe('f(p_b => $1, p_a => $2)')
  expect(namedCallSql('f', [])).toBe('f()')
})
