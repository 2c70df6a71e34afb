import { nearest } from './nearest.ts'

/** A day on the wall calendar of a zone: `2026-03-08`. */
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

/** The zone that was probably meant. */
export function nearestTimeZone(zone: string): string | undefined {
  return nearest(zone, ['UTC', ...Intl.supportedValuesOf('timeZone')])
}

/** Whether the calendar has this day: `2024-02-29`, and not `2026-02-29`. */
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
 * When the zone's wall clock shows so many minutes after midnight of that day, as RFC 5545 has it (3.3.5): of a time that is
 * shown twice, as clocks go back, the first; of one that is skipped, as they go forward, what the offset before it gives, so
 * that 02:30 is 03:30.
 */
export function instantAt(zone: string, day: LocalDay, minutes: number): number {
  const wanted = Date.parse(day) + minutes * 60_000
  // With the offset that holds half a day before, then after: changes are further apart than that.
  const before = wanted - offsetMs(zone, wanted - dayMs / 2)
  const after = wanted - offsetMs(zone, wanted + dayMs / 2)
  return wallMs(zone, before) !== wanted && wallMs(zone, after) === wanted ? after : before
}

function offsetMs(zone: string, atMs: number): number {
  return wallMs(zone, atMs) - Math.floor(atMs / 1000) * 1000
}

/** What the wall clock shows, as if it were UTC. */
function wallMs(zone: string, atMs: number): number {
  const parts: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {}
  for (const { type, value } of formatOf(zone).formatToParts(atMs)) parts[type] = Number(value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
  return Date.UTC(year, month - 1, day, hour, minute, second)
}

function dayOf(ms: number): LocalDay {
  return new Date(ms).toISOString().slice(0, 10)
}

/** Making one takes longer than using it a hundred times. */
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
