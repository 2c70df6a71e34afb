import type { CivilTime } from './civil-time.ts'

const secondsPerDay = 86_400
/** Days from 1899-12-30, day 0 of spreadsheets, to 1970-01-01. */
const excelDaysBefore1970 = 25_569
/** From 0001-01-01 to 1970-01-01, in units of 100 nanoseconds. */
const ticksBefore1970 = 621_355_968_000_000_000n
const ticksPerSecond = 10_000_000n

/** The serial number of a spreadsheet: days since 1899-12-30, whose fraction is rounded to milliseconds. */
export function readExcelDays(text: string): CivilTime | undefined {
  if (!/^\d{1,7}(\.\d*)?$/.test(text)) return undefined
  const ms = Math.round((Number(text) - excelDaysBefore1970) * secondsPerDay * 1000)
  const seconds = Math.floor(ms / 1000)
  const rest = ms - seconds * 1000
  const fraction = rest === 0 ? '' : String(rest).padStart(3, '0')
  return { seconds, fraction, offset: undefined, isDay: /^\d+(\.0*)?$/.test(text) }
}

/** The ticks of .NET's DateTime: 100 nanoseconds since 0001-01-01. */
export function readTicks(text: string): CivilTime | undefined {
  if (!/^\d{1,19}$/.test(text)) return undefined
  const ticks = BigInt(text) - ticksBefore1970
  const rest = ((ticks % ticksPerSecond) + ticksPerSecond) % ticksPerSecond
  const seconds = Number((ticks - rest) / ticksPerSecond)
  return { seconds, fraction: rest === 0n ? '' : String(rest).padStart(7, '0'), offset: undefined, isDay: false }
}
