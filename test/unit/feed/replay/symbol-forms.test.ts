import { describe, expect, it } from 'vitest'
import { FieldText } from '../../../../src/feed/replay/price-line.ts'
import { SymbolForms } from '../../../../src/feed/replay/symbol-forms.ts'
import { messageKey, partitionOf } from '../../../../src/kafka/records/message-key.ts'

function textOf(symbol: string): FieldText {
  const text = new FieldText()
  text.set(Buffer.from(`<${symbol}>`), 1, Buffer.byteLength(symbol) + 1)
  return text
}

describe('the form of a symbol', () => {
  it('is made once, and holds its key, its partition and its beginning', () => {
    const forms = new SymbolForms(7)
    const form = forms.find(textOf('BRK.B'))
    expect(form.key.bytes.toString()).toBe('BRK.B')
    expect(form.partition).toBe(partitionOf(messageKey('BRK.B'), 7))
    expect(form.start.toString()).toBe('{"symbol":"BRK.B","timestamp":')
    expect(forms.find(textOf('BRK.B'))).toBe(form)
    expect(forms.find(textOf('BRK.A'))).not.toBe(form)
  })

  it('is escaped where JSON wants it', () => {
    const { start } = new SymbolForms(1).find(textOf('A"\\é'))
    expect(JSON.parse(`${start}0}`)).toEqual({ symbol: 'A"\\é', timestamp: 0 })
  })

  it('is found among very many, without keeping all of them', () => {
    const forms = new SymbolForms(3)
    const first = forms.find(textOf('S0'))
    for (let i = 0; i < 200_000; i++) expect(forms.find(textOf(`S${i}`)).key.bytes.toString()).toBe(`S${i}`)
    expect(forms.find(textOf('S0'))).not.toBe(first)
    expect(forms.find(textOf('S0')).key).toEqual(first.key)
  })
})
