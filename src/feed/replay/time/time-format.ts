import type { EpochUnit } from './epoch-text.ts'
import { TimePattern } from './time-pattern.ts'

/** The parsed value of `--time-format`. */
export type TimeFormat =
  | { readonly kind: 'epoch'; readonly unit: EpochUnit }
  | { readonly kind: 'excel' }
  | { readonly kind: 'dotnet-ticks' }
  | { readonly kind: 'pattern'; readonly pattern: TimePattern }

const named: Readonly<Record<string, TimeFormat | undefined>> = {
  'epoch-s': { kind: 'epoch', unit: 'epoch seconds' },
  'epoch-ms': { kind: 'epoch', unit: 'epoch milliseconds' },
  'epoch-us': { kind: 'epoch', unit: 'epoch microseconds' },
  'epoch-ns': { kind: 'epoch', unit: 'epoch nanoseconds' },
  excel: { kind: 'excel' },
  'dotnet-ticks': { kind: 'dotnet-ticks' },
}

export const timeFormatNames = Object.keys(named)

/** @throws KpiError `KPI_USAGE` for a text that is neither a name nor a pattern. */
export function parseTimeFormat(text: string): TimeFormat {
  return named[text] ?? { kind: 'pattern', pattern: new TimePattern(text) }
}
