// Formats numbers for people, in the form that all commands, reports and alerts share.

/** 1234567 as 1,234,567. */
export function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** `1 row`, `1,234 rows`. */
export function counted(value: number, thing: string): string {
  return `${grouped(value)} ${thing}${value === 1 ? '' : 's'}`
}

const sizeUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const

/** `873 B`, `1.2 MB`: with decimal prefixes (1 kB is 1000 B). */
export function bytesText(bytes: number): string {
  let value = bytes
  let unit = 0
  // The limit is half a unit below 1000, so that 999,950 B is never shown as 1000.0 kB.
  while (value >= 999.95 && unit < sizeUnits.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${sizeUnits[unit]}`
}
