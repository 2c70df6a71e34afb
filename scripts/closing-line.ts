export interface Counts {
  passed: number
  failed: number
  skipped: number
}

/** Names the file through which the reporter hands its counts to scripts/test.ts. */
export const summaryFileVariable = 'MARKET_KPI_TEST_SUMMARY'

/** The last line of a test run, for people and for CI. */
export function closingLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}
