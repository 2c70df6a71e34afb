/** Approximate real prices, which make the simulated prices more realistic. */
const wellKnown: Readonly<Record<string, number>> = {
  AAPL: 228.4,
  MSFT: 415.1,
  NVDA: 138.25,
  AMZN: 201.7,
  GOOGL: 176.5,
  META: 563.9,
  TSLA: 342.0,
  JPM: 245.3,
  XOM: 120.6,
  SPY: 594.2,
  'BRK.B': 468.7,
  'BTC/USDT': 91_250,
  'ETH/USDT': 3120,
  'EURUSD=X': 1.0542,
  '^GSPC': 5948.7,
}

const firstMadeUp = 10

/**
 * The symbols of a `SYMBOLS` setting: the given names, or the given number of symbols with well-known ones first.
 *
 * @param setting - Names separated by commas, or a count. Repeated names are dropped.
 */
export function symbolNames(setting: string): string[] {
  if (!/^\d+$/.test(setting)) return [...new Set(setting.split(','))]
  const count = Math.max(1, Number(setting))
  const known = Object.keys(wellKnown).slice(0, firstMadeUp)
  return Array.from({ length: count }, (_, index) => known[index] ?? `SYM${index + 1}`)
}

/** The start price of a symbol. For a made-up symbol it is between 10 and 1000, evenly distributed in its logarithm. */
export function startPriceOf(name: string, uniform: number): number {
  return wellKnown[name] ?? 10 * 100 ** uniform
}
