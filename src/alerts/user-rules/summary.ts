/** `{symbol} moved {value} %`, filled in; a name that is none stays as it stands. */
export function filledIn(template: string, fields: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => fields[name] ?? whole).replace(/\s*\n\s*/g, ' ')
}

/** A figure for people: 3.14159265 as 3.142, 1234567.8 as 1,234,567.8. */
export function figure(value: number): string {
  const digits = Math.abs(value) >= 1000 ? { maximumFractionDigits: 1 } : { maximumSignificantDigits: 4 }
  return value.toLocaleString('en-US', digits)
}
