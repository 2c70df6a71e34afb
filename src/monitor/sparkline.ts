const bars = '▁▂▃▄▅▆▇█'
const unknownBar = '·'

/**
 * The newest values as bars that start at 0; the highest is a full bar, an unknown value a dot. Always `width` cells.
 */
export function sparkline(values: readonly (number | null)[], width: number): string {
  const shown = values.slice(-width)
  const highest = Math.max(0, ...shown.map((value) => value ?? 0))
  const line = shown.map((value) => (value === null ? unknownBar : barOf(value, highest))).join('')
  return line.padStart(width)
}

function barOf(value: number, highest: number): string {
  if (highest === 0) return bars[0] ?? ''
  return bars[Math.min(bars.length - 1, Math.ceil((Math.max(0, value) / highest) * (bars.length - 1)))] ?? ''
}
