import { InvalidArgumentError } from 'commander'

const instant = /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)([Zz]|[+-]\d\d:\d\d)?)?$/
const age = /^(\d{1,9})([smhd])$/
const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Parses an instant: `2026-02-14`, `2026-02-14T14:30Z`; UTC if no offset is given. */
export function instantOption(text: string): Date {
  const found = parseInstant(text)
  if (found) return found
  throw new InvalidArgumentError('must be a date, or a date and time such as 2026-02-14T14:30Z')
}

/** Parses an instant, or a duration before now: `90s`, `15m`, `2h`, `7d`. */
export function sinceOption(text: string): Date {
  const agoMs = parseAge(text)
  const found = agoMs === undefined ? parseInstant(text) : new Date(Date.now() - agoMs)
  if (found) return found
  throw new InvalidArgumentError('must be an age such as 90s, 15m, 2h or 7d, or a date and time')
}

/** Parses a duration to milliseconds: `90s`, `15m`, `2h`, `7d`. */
export function ageOption(text: string): number {
  const found = parseAge(text)
  if (found !== undefined && found > 0) return found
  throw new InvalidArgumentError('must be a time such as 90s, 15m, 2h or 7d')
}

function parseInstant(text: string): Date | undefined {
  const match = instant.exec(text)
  if (!match) return undefined
  const [, day = '', time = '00:00', zone = 'Z'] = match
  const date = new Date(`${day}T${time}${zone.toUpperCase()}`)
  // Reject 30 February, which Date would read as 2 March.
  const isDay = new Date(`${day}T00:00Z`).toJSON()?.startsWith(day)
  return Number.isNaN(date.getTime()) || !isDay ? undefined : date
}

/** Undefined if the text is not a duration. */
export function parseAge(text: string): number | undefined {
  const [, count, unit] = age.exec(text) ?? []
  return count === undefined ? undefined : Number(count) * unitMs[unit as keyof typeof unitMs]
}
