/** ISO 8601 to the second. A time beyond the range of Date is returned unchanged. */
export function isoTime(date: Date): string {
  return Number.isNaN(date.getTime()) ? 'an unknown time' : `${date.toISOString().slice(0, 19)}Z`
}
