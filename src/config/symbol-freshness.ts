import { assert } from '../errors.ts'

/** Limits for the symbols that match a pattern: their own values, `default` for the general ones, or `off`. */
export interface SymbolFreshness {
  readonly pattern: string
  readonly limits: { readonly warningSeconds: number; readonly criticalSeconds: number } | 'default' | 'off'
}

/** Parses `BTC/*=30:120,ILLIQ=off`. The first pattern that matches a symbol applies. */
export function parseFreshnessList(text: string): SymbolFreshness[] {
  const parsed = readFreshnessList(text)
  assert(typeof parsed !== 'string', `checked when the settings were read: ${parsed}`)
  return parsed
}

/** What is wrong with the text; undefined if it is valid. */
export function freshnessListProblem(text: string): string | undefined {
  const parsed = readFreshnessList(text)
  return typeof parsed === 'string' ? parsed : undefined
}

function readFreshnessList(text: string): SymbolFreshness[] | string {
  const entries: SymbolFreshness[] = []
  for (const part of text.split(',')) {
    // Split at the last '=', because symbols such as EURUSD=X contain one.
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
