import type { JsonKind } from '../../../kpi/decode/json-scanner.ts'
import type { PriceLine, SourceField } from '../price-line.ts'

const nullText = Buffer.from('null')
const backslash = 0x5c

/**
 * Sets a field of a price from a JSON value. Null means that the field is absent; as a volume it means that there is
 * no volume.
 *
 * @returns What is wrong with the value; an empty string if nothing is.
 */
export function setJsonValue(
  into: PriceLine,
  value: {
    readonly field: SourceField
    readonly kind: JsonKind
    readonly buffer: Buffer
    readonly start: number
    readonly end: number
  },
): string {
  const { field, kind, buffer, start, end } = value
  const text = into[field]
  text.isJsonNumber = kind === 'number'
  if (kind === 'number') text.set(buffer, start, end)
  else if (kind === 'string' && !buffer.subarray(start, end).includes(backslash)) text.set(buffer, start + 1, end - 1)
  else if (kind === 'string') {
    const unescaped = Buffer.from(JSON.parse(buffer.toString('utf8', start, end)) as string)
    text.set(unescaped, 0, unescaped.length)
  } else if (kind === 'null' && field === 'volume') text.set(nullText, 0, nullText.length)
  else if (kind === 'null') text.clear()
  else return `its ${field} is a JSON ${kind}`
  return ''
}
