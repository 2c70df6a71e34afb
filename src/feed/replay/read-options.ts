import type { Logger } from '../../log.ts'
import type { FieldMapping } from './field-names.ts'
import type { Columns } from './layouts.ts'
import type { NumberSigns } from './number-text.ts'
import type { TimeFormat } from './time/time-format.ts'
import type { TimeZone } from './time/time-zone.ts'

/** How the user says a file should be read. What is undefined is detected from the file. */
export interface ReadOptions {
  readonly mapping?: FieldMapping
  /** The symbol of all lines; it replaces any symbol in the file. */
  readonly symbol?: string | undefined
  /** The columns of a file without a header. */
  readonly columns?: Columns | undefined
  /** Number of lines to skip above the header, or above the first price. */
  readonly skipLines?: number
  readonly timeFormat?: TimeFormat | undefined
  readonly timeZone?: TimeZone | undefined
  /** The timestamps are the ends of bars, which last this many seconds. */
  readonly barSeconds?: number | undefined
  readonly signs?: NumberSigns | undefined
}

/** The read options, with what is needed to read the beginning of a file. */
export interface FormatOptions extends ReadOptions {
  readonly path: string
  readonly log: Logger
}

/** How many lines are examined to detect how a file is read. */
export const surveyLines = 1000
/** Fewer lines are examined if they are long. */
export const surveyBytes = 8 * 1024 * 1024
