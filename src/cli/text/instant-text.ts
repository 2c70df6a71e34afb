/** ISO 8601 to the second; a time beyond what a Date holds as it is. */
export function isoTime(date: Date): string {
  return Number.isNaN(date.getTime()) ? 'an unknown time' : `${date.toISOString().slice(0, 19)}Z`
}
