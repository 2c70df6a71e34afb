import type { Logger } from '../../log.ts'
import type { FieldMapping } from './field-names.ts'
import type { Columns } from './layouts.ts'
import type { NumberSigns } from './number-text.ts'
import type { TimeFormat } from './time/time-format.ts'
import type { TimeZone } from './time/time-zone.ts'

/** What the user said about the form of a file; each is undefined where that is left to the file. */
export interface ReadOptions {
  readonly mapping?: FieldMapping
  /** The symbol of all lines, whatever they say. */
  readonly symbol?: string | undefined
  /** Of a file without a header. */
  readonly columns?: Columns | undefined
  /** Lines above the header, or above the first price. */
  readonly skipLines?: number
  readonly timeFormat?: TimeFormat | undefined
  readonly timeZone?: TimeZone | undefined
  /** Timestamps are the ends of bars of so many seconds. */
  readonly barSeconds?: number | undefined
  readonly signs?: NumberSigns | undefined
}

/** The same, with what is needed to read the beginning of a file. */
export interface FormatOptions extends ReadOptions {
  readonly path: string
  readonly log: Logger
}

/** So many lines decide how a file is read. */
export const surveyLines = 1000
/** Fewer, where they are long. */
export const surveyBytes = 8 * 1024 * 1024
