import { fieldOf } from '../field-names.ts'
import type { RecordReader, SourceField } from '../price-line.ts'
import { surveyBytes, surveyLines } from '../read-options.ts'

/** Parses the first lines, or elements, of a file. Invalid JSON is skipped. */
export async function surveyJson(reader: RecordReader, add: (value: unknown) => void): Promise<void> {
  let bytes = 0
  for (let lines = 0; lines < surveyLines && bytes < surveyBytes && (await reader.advance()); lines++) {
    bytes += reader.end - reader.start
    if (reader.isTooLong || reader.start === reader.end) continue
    try {
      add(JSON.parse(reader.buffer.toString('utf8', reader.start, reader.end)))
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
    }
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A string or a number as text; undefined for other types. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined
}

/** The value that a path of member names leads to. */
export function valueAt(value: unknown, names: readonly string[]): unknown {
  return names.reduce<unknown>((at, name) => {
    if (Array.isArray(at)) return /^\d+$/.test(name) ? (at[Number(name)] as unknown) : undefined
    return isObject(at) ? at[name] : undefined
  }, value)
}

/** The members of an object that are strings or numbers; empty if the value is not an object. */
export function textMembers(value: unknown): readonly (readonly [string, string])[] {
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([name, member]) => {
    const text = textOf(member)
    return text === undefined ? [] : [[name, text] as const]
  })
}

/** Chooses the best name for a field. */
export function bestName(
  names: readonly string[],
  field: SourceField,
  bases?: ReadonlySet<string>,
): string | undefined {
  const ranked = names.flatMap((name) => {
    const known = fieldOf(name, bases)
    return known?.field === field ? [{ name, rank: known.rank }] : []
  })
  return ranked.sort((a, b) => a.rank - b.rank)[0]?.name
}
