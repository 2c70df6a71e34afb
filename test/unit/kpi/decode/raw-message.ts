const usual = {
  symbol: '"AAPL"',
  timestamp: '"2026-02-14T14:30:05.250Z"',
  open: '187.15',
  high: '187.2',
  low: '187.1',
  close: '187.18',
  volume: '1200',
}

/**
 * The text of a message, from the JSON texts of its members: those given stand in for the usual ones, or are added;
 * null leaves one out.
 */
export function rawMessage(members: Readonly<Record<string, string | null>> = {}): string {
  const all = Object.entries({ ...usual, ...members }).filter(([, text]) => text !== null)
  return `{${all.map(([name, text]) => `"${name}":${text}`).join(',')}}`
}
