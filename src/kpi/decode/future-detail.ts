/** The calendar of Date ends there. */
const lastDateMs = 8.64e15
const dayMs = 86_400_000
const year2000Ms = Date.UTC(2000, 0, 1)
/** Clocks and feeds are at most so late when a unit is guessed. */
const yearMs = 365 * dayMs
/** A local time that was sent as UTC is whole half hours ahead, give or take what a feed needs. */
const halfHourMs = 1_800_000
const feedDelayMs = 300_000
const mostZoneMs = 14 * 3_600_000

/**
 * What is wrong with a message whose time is too far ahead of its record's time: both times, and which of them is probably
 * wrong. The text depends on these two times only, so that a message has the same detail each time that it is read.
 *
 * @param eventUs - The message's own timestamp, microseconds since the epoch.
 * @param recordMs - The record's Kafka timestamp; the wall clock where the record has none.
 * @returns Printable ASCII, below 200 characters.
 */
export function futureDetail(eventUs: number, recordMs: number): string {
  const eventMs = Math.round(eventUs / 1000)
  return `message time ${timeText(eventMs)}, record time ${timeText(recordMs)}: ${verdict(eventMs, recordMs)}`
}

function verdict(eventMs: number, recordMs: number): string {
  if (recordMs < year2000Ms) {
    const isSeconds = isNear(recordMs * 1000, eventMs)
    return `the record time is wrong${isSeconds ? ', it is in seconds instead of milliseconds' : ''}`
  }
  if (isNear(eventMs / 1000, recordMs)) {
    return 'the message time is wrong, it is in microseconds instead of milliseconds'
  }
  if (eventMs - recordMs > 10 * yearMs) return 'the message time is wrong'
  const aheadMs = eventMs - recordMs
  const isWholeHours = Math.abs(aheadMs - Math.round(aheadMs / halfHourMs) * halfHourMs) <= feedDelayMs
  return aheadMs <= mostZoneMs + feedDelayMs && aheadMs >= halfHourMs - feedDelayMs && isWholeHours
    ? 'the message time is wrong, perhaps a local time sent as UTC'
    : "the feed's clock is ahead, or Kafka's is behind"
}

function isNear(a: number, b: number): boolean {
  return a > year2000Ms && Math.abs(a - b) < yearMs
}

function timeText(ms: number): string {
  return Math.abs(ms) <= lastDateMs ? new Date(ms).toISOString() : `${ms} ms`
}
