import { nearest } from './nearest.ts'

/** A calendar day in the local time of a zone: `2026-03-08`. */
export type LocalDay = string

const dayMs = 86_400_000
const formats = new Map<string, Intl.DateTimeFormat>()

export function isTimeZone(zone: string): boolean {
  try {
    return formatOf(zone) !== undefined
  } catch {
    return false
  }
}

/** The time zone that was probably meant. */
export function nearestTimeZone(zone: string): string | undefined {
  return nearest(zone, ['UTC', ...Intl.supportedValuesOf('timeZone')])
}

/** Whether the day exists: `2024-02-29` does, `2026-02-29` does not. */
export function isDay(text: string): boolean {
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(text) : Number.NaN
  return !Number.isNaN(ms) && dayOf(ms) === text
}

export function localDay(zone: string, atMs: number): LocalDay {
  return dayOf(wallMs(zone, atMs))
}

export function nextDay(day: LocalDay): LocalDay {
  return dayOf(Date.parse(day) + dayMs)
}

export function previousDay(day: LocalDay): LocalDay {
  return dayOf(Date.parse(day) - dayMs)
}

/** 0 for Sunday. */
export function weekdayOf(day: LocalDay): number {
  return new Date(day).getUTCDay()
}

/**
 * The instant at which local time is the given number of minutes after midnight, according to RFC 5545 (3.3.5). A
 * time that occurs twice, when clocks go back, is the first of the two. A time that is skipped, when clocks go
 * forward, is read with the offset before the change, so 02:30 becomes 03:30.
 */
export function instantAt(zone: string, day: LocalDay, minutes: number): number {
  const wanted = Date.parse(day) + minutes * 60_000
  // Try the offset of half a day before, then that of half a day after. Offset changes are further apart than that.
  const before = wanted - offsetMs(zone, wanted - dayMs / 2)
  const after = wanted - offsetMs(zone, wanted + dayMs / 2)
  return wallMs(zone, before) !== wanted && wallMs(zone, after) === wanted ? after : before
}

function offsetMs(zone: string, atMs: number): number {
  return wallMs(zone, atMs) - Math.floor(atMs / 1000) * 1000
}

/** Local time, encoded as if it were UTC. */
function wallMs(zone: string, atMs: number): number {
  const parts: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {}
  for (const { type, value } of formatOf(zone).formatToParts(atMs)) parts[type] = Number(value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
  return Date.UTC(year, month - 1, day, hour, minute, second)
}

function dayOf(ms: number): LocalDay {
  return new Date(ms).toISOString().slice(0, 10)
}

/** Cached, because creating a format takes longer than using it a hundred times. */
function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone)
  if (known) return known
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'iso8601',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  formats.set(zone, made)
  return made
}
