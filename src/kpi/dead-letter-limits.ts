/** CONTRACT: the first 64 KiB of a rejected message's payload, and of its key, are kept. */
export const maxKeptBytes = 64 * 1024

/** The end of the year 9999: a timestamp beyond it is nonsense, and some clients of PostgreSQL fail on it. */
const lastTimestampMs = 253_402_300_799_999

/** A Kafka timestamp as the database can store it; null for none (−1) and for what it cannot store. */
export function storableTimestampMs(timestampMs: number | null): number | null {
  return timestampMs !== null && timestampMs >= 0 && timestampMs <= lastTimestampMs ? timestampMs : null
}
