import { assert } from '../errors.ts'

/** Limits for the symbols of one pattern: their own, `default` for the general ones, `off` for none. */
export interface SymbolFreshness {
  readonly pattern: string
  readonly limits: { readonly warningSeconds: number; readonly criticalSeconds: number } | 'default' | 'off'
}

/** `BTC/*=30:120,ILLIQ=off`; the first pattern that fits a symbol counts. */
export function parseFreshnessList(text: string): SymbolFreshness[] {
  const parsed = readFreshnessList(text)
  assert(typeof parsed !== 'string', `checked when the settings were read: ${parsed}`)
  return parsed
}

/** What is wrong with the text; undefined when nothing is. */
export function freshnessListProblem(text: string): string | undefined {
  const parsed = readFreshnessList(text)
  return typeof parsed === 'string' ? parsed : undefined
}

function readFreshnessList(text: string): SymbolFreshness[] | string {
  const entries: SymbolFreshness[] = []
  for (const part of text.split(',')) {
    // The last '=': symbols such as EURUSD=X have one too.
    const [, pattern, value = ''] = /^\s*(\S+)=(\S+?)\s*$/.exec(part) ?? []
    if (pattern === undefined) return `'${part}' is not PATTERN=WARNING:CRITICAL`
    if (value === 'default' || value === 'off') {
      entries.push({ pattern, limits: value })
      continue
    }
    const [, warning, critical] = /^(\d{1,9}):(\d{1,9})$/.exec(value) ?? []
    if (warning === undefined || critical === undefined) return `'${value}' is not WARNING:CRITICAL in seconds`
    const limits = { warningSeconds: Number(warning), criticalSeconds: Number(critical) }
    if (limits.warningSeconds < 1 || limits.warningSeconds >= limits.criticalSeconds) {
      return `'${value}': the warning must come before the critical limit`
    }
    entries.push({ pattern, limits })
  }
  return entries
}
