/** Whether a symbol matches a pattern. `*` matches any number of characters, including none; the rest is literal. */
export function fitsPattern(pattern: string, symbol: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  if (rest.length === 0) return symbol === pattern
  if (!symbol.startsWith(first)) return false
  const last = rest.pop() ?? ''
  let at = first.length
  for (const part of rest) {
    const found = symbol.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return symbol.length - last.length >= at && symbol.endsWith(last)
}
