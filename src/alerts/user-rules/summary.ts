/** Replaces the names in a template such as `{symbol} moved {value} %`. Unknown names are left unchanged. */
export function filledIn(template: string, fields: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => fields[name] ?? whole).replace(/\s*\n\s*/g, ' ')
}

/** Rounds a number for display: 3.14159265 to 3.142, 1234567.8 to 1,234,567.8. */
export function figure(value: number): string {
  const digits = Math.abs(value) >= 1000 ? { maximumFractionDigits: 1 } : { maximumSignificantDigits: 4 }
  return value.toLocaleString('en-US', digits)
}
