import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CsvSplitter } from '../../../../../src/feed/replay/csv/csv-splitter.ts'
import { FieldText } from '../../../../../src/feed/replay/price-line.ts'
import { propertyRuns } from '../../../kpi/property-runs.ts'

const comma = 0x2c

function fieldsOf(splitter: CsvSplitter, bytes: Buffer): string[] {
  const field = new FieldText()
  return Array.from({ length: splitter.count }, (_, i) => {
    splitter.read(i, bytes, field)
    return field.toString()
  })
}

function split(line: string, delimiter = comma): string[] | string {
  const bytes = Buffer.from(`before${line}behind`)
  const splitter = new CsvSplitter(delimiter)
  const state = splitter.split(bytes, 6, bytes.length - 6)
  return state === 'split' ? fieldsOf(splitter, bytes) : state === 'bad' ? splitter.problem : state
}

describe('a CSV line', () => {
  it.each([
    ['a,b,c', ['a', 'b', 'c']],
    ['', ['']],
    [',', ['', '']],
    ['a,,', ['a', '', '']],
    ['"a","b"', ['a', 'b']],
    ['"a,b",c', ['a,b', 'c']],
    ['"say ""hi""",1', ['say "hi"', '1']],
    ['"",x', ['', 'x']],
    ['""""', ['"']],
    ['5" pipe,1', ['5" pipe', '1']],
    [' a ,\tb', ['a', 'b']],
    ['é,ü', ['é', 'ü']],
  ])('has its fields: %s', (line, fields) => {
    expect(split(line)).toEqual(fields)
  })

  it('may have another delimiter', () => {
    expect(split('a;"b;c";d,e', 0x3b)).toEqual(['a', 'b;c', 'd,e'])
  })

  it('with text behind a quote is bad', () => {
    expect(split('a,"b"c,d')).toBe('text behind the closing quote of field 2')
  })

  it.each(['"a', 'a,"b,c', '"a""', 'x,"'])('that ends inside a quote is open: %s', (line) => {
    expect(split(line)).toBe('open')
  })

  it('that was open goes on where it stopped', () => {
    const bytes = Buffer.from('a,"b\r\nc ""d""\n",e,"f\ng"')
    const splitter = new CsvSplitter(comma)
    expect(splitter.split(bytes, 0, 4)).toBe('open')
    expect(splitter.goOn(bytes, 13)).toBe('open')
    expect(splitter.goOn(bytes, 20)).toBe('open')
    expect(splitter.goOn(bytes, bytes.length)).toBe('split')
    expect(fieldsOf(splitter, bytes)).toEqual(['a', 'b\r\nc "d"\n', 'e', 'f\ng'])
  })

  it('gives back whatever was written after RFC 4180', () => {
    const field = fc.string({ unit: fc.constantFrom('a', '1', ',', '"', '.', 'é'), maxLength: 8 })
    const fields = fc.array(fc.tuple(field, fc.boolean()), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(fields, (all) => {
        const line = all.map(([text, isQuoted]) => {
          return isQuoted || /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
        })
        expect(split(line.join(','))).toEqual(all.map(([text]) => text))
      }),
      propertyRuns,
    )
  })
})
