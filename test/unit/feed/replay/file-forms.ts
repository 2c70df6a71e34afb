// Small files as venues, terminals and spreadsheets write them, and what becomes of each.
import { expect, it } from 'vitest'
import { type ReplayFlags, readOptions } from '../../../../src/feed/replay/replay-options.ts'
import { temporaryFolder } from '../../../temporary-folder.ts'
import { replay, write } from './files.ts'

export type Flags = Omit<ReplayFlags, 'speed'>

/** Symbol, instant, close and volume of each message, and how many lines were rejected. */
async function read(
  text: string | Buffer,
  flags: Flags = {},
): Promise<{ prices: string[]; rejected: number; log: string }> {
  using folder = temporaryFolder()
  const options = readOptions({ speed: Number.POSITIVE_INFINITY, ...flags })
  const { values, rejected, lines } = await replay(write(folder.path, text), options)
  return { prices: values.map(shown), rejected, log: lines.join('\n') }
}

function shown(value: string): string {
  const { symbol, timestamp, close, volume } = JSON.parse(value) as Record<string, string | number>
  const at = typeof timestamp === 'string' && !/(Z|[+-]\d\d:?\d\d)$/i.test(timestamp) ? `${timestamp}Z` : timestamp
  return `${symbol} ${new Date(at ?? '').toISOString().replace('.000Z', 'Z')} ${close} ${volume}`
}

/** The line that refuses a file. */
async function refusal(text: string | Buffer, flags: Flags = {}): Promise<string> {
  try {
    const { prices } = await read(text, flags)
    return `read as ${prices.join('; ')}`
  } catch (error) {
    expect(error).toMatchObject({ code: 'KPI_FEED_FILE', retryable: false, exitCode: 1 })
    expect((error as Error).message).not.toContain('\n')
    return (error as Error).message
  }
}

export interface Read {
  readonly what: string
  readonly text: string | Buffer
  readonly flags?: Flags
  readonly prices: readonly string[]
  readonly rejected?: number
}

export const at = (clock: string, close: number | string, volume: number | string = 0, symbol = 'A') =>
  `${symbol} 2024-02-14T${clock}Z ${close} ${volume}`

export const head = 'symbol,timestamp,close,volume\n'

/** A file that is refused, and words that the one line about it has. */
export interface Refused {
  readonly what: string
  readonly text: string | Buffer
  readonly flags?: Flags
  readonly says: readonly string[]
}

/** Each file becomes these messages. */
export function areRead(files: readonly Read[]): void {
  it.each(files)('$what', async ({ text, flags, prices, rejected = 0 }) => {
    const found = await read(text, flags)
    expect(found.prices).toEqual(prices)
    expect(found.rejected, found.log).toBe(rejected)
  })
}

/** Each file is refused as a whole. */
export function areRefused(files: readonly Refused[]): void {
  it.each(files)('$what', async ({ text, flags, says }) => {
    const said = await refusal(text, flags)
    for (const word of says) expect(said).toContain(word)
  })
}
