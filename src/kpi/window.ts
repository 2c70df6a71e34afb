/**
 * Start of the window that holds an event: windows are [start, end) by event time and aligned to the Unix epoch.
 * The remainder of two integers below 2^53 is exact in doubles, where a quotient would not be.
 *
 * @param timestampUs microseconds since the epoch, an integer from 0 to 2^53 − 1
 * @param windowUs length of a window in microseconds, a positive integer below 2^53
 */
export function windowStartUs(timestampUs: number, windowUs: number): number {
  return timestampUs - (timestampUs % windowUs)
}
