import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KpiError } from '../../../../../src/errors.ts'
import { JsonShape } from '../../../../../src/feed/replay/json/json-shape.ts'
import { PriceLine } from '../../../../../src/feed/replay/price-line.ts'
import { temporaryFolder } from '../../../../temporary-folder.ts'
import { fileRunsTimeoutMs, propertyRuns } from '../../../kpi/property-runs.ts'
import { replay, write } from '../files.ts'

const usual = '{"symbol":"AAPL","timestamp":"2026-02-14T14:30:05.250Z","close":187.18,"volume":1200}'

/** Of a line whose only member is the number, or the string, that stands in it. */
function shapeOf(line: string, kind: 'number' | 'string'): JsonShape {
  const bytes = Buffer.from(line)
  const start = line.indexOf(':') + 1
  const shape = JsonShape.of(bytes, 0, bytes.length, [{ field: 5, kind, start, end: bytes.length - 1 }])
  if (!shape) throw new Error(`${line} has a shape`)
  return shape
}

describe('a shape', () => {
  it.each([
    ['{"close":-0.50}', '-0.50'],
    ['{"close":0}', '0'],
    ['{"close":123456789012345678901234567890}', '123456789012345678901234567890'],
  ])('takes %s', (line, value) => {
    const shape = shapeOf('{"close":1}', 'number')
    const bytes = Buffer.from(line)
    const into = new PriceLine()
    expect(shape.fits(bytes, 0, bytes.length)).toBe(true)
    shape.read(bytes, into)
    expect(into.close.toString()).toBe(value)
  })

  it.each(['01', '-', '1.', '.5', '+1', '1e5', '1.5e-3', '"1"', 'null', '', '1 '])('leaves %s aside', (value) => {
    const line = Buffer.from(`{"close":${value}}`)
    expect(shapeOf('{"close":1}', 'number').fits(line, 0, line.length)).toBe(false)
  })

  it.each(['a\\"b', 'a\u0001b', 'Zürich', 'a"b', '\u007f'])('leaves the string %j aside', (value) => {
    const line = Buffer.from(`{"close":"${value}"}`)
    expect(shapeOf('{"close":"1"}', 'string').fits(line, 0, line.length)).toBe(false)
  })

  it('ends where the line ends', () => {
    const bytes = Buffer.from('{"close":1}{"close":1}')
    const shape = shapeOf('{"close":1}', 'number')
    expect(shape.fits(bytes, 0, 11)).toBe(true)
    expect(shape.fits(bytes, 0, 10)).toBe(false)
    expect(shape.fits(bytes, 0, 12)).toBe(false)
  })
})

describe('lines of one file', () => {
  const name = fc.constantFrom('symbol', 'timestamp', 'open', 'close', 'volume', 'price', 'Close', 'time', 'x', 'é')
  const value = fc.constantFrom(
    ...['"AAPL"', '"BRK.B"', '" A "', '"é"', '"A\\u0042"', '1', '-0.50', '1e3', '007', '1.', 'null', 'true', '[1]'],
    ...['"2026-02-14T14:30:05Z"', '"1381132800464"', '1381132800464', '" 2026-02-14 14:30:05"', '"187.5"', '{"a":1}'],
  )
  const other = fc.constantFrom('', '"', '\\', ' ', '1', '-', 'e', 'é', '{', '}')
  const mutated = fc.tuple(fc.nat(usual.length - 1), other).map(([at, bytes]) => {
    return `${usual.slice(0, at)}${bytes}${usual.slice(at + 1)}`
  })
  /** Fewer than it takes to learn another shape. */
  const mostLines = 8
  const lines = fc.uniqueArray(name, { maxLength: 3 }).chain((names) => {
    const members = [...names, 'symbol', 'timestamp', 'close']
    const alike = fc.array(value, { minLength: members.length, maxLength: members.length }).map((values) => {
      return `{${members.map((key, at) => `"${key}":${values[at]}`).join(',')}}`
    })
    const some = fc.array(fc.oneof(alike, mutated, fc.constant(usual)), { minLength: 2, maxLength: mostLines })
    // Else it is no file of JSON lines.
    return some.filter(([first]) => first?.startsWith('{') === true)
  })

  it(
    'are read as if each was read in full',
    async () => {
      using folder = temporaryFolder()
      let compared = 0
      const valuesOf = async (text: readonly string[]) => {
        const path = write(folder.path, `${text.join('\n')}\n${usual}\n`, 'prices.jsonl')
        try {
          const { values, rejected } = await replay(path)
          compared += values.length
          return { values, rejected }
        } catch (error) {
          // No line is a price, not even the last one: the first may have a member that is preferred to its timestamp.
          if (!(error instanceof KpiError) || error.code !== 'KPI_FEED_FILE') throw error
          return { values: [], rejected: text.length + 1 }
        }
      }
      await fc.assert(
        fc.asyncProperty(lines, async (some) => {
          const asFile = await valuesOf(some)
          // A first line without a shape: the ones behind it are compared with none.
          const inFull = await valuesOf(['{"first":[]}', ...some])
          expect(asFile.values).toEqual(inFull.values)
          expect(asFile.rejected).toBe(inFull.rejected - 1)
        }),
        propertyRuns,
      )
      expect(compared).toBeGreaterThan(propertyRuns.numRuns)
    },
    fileRunsTimeoutMs,
  )
})
