import type { MessageDecoder, RejectReason } from '../../../../src/kpi/decode/message.ts'

/** What became of a message, in a shape that tests can compare: numbers scaled by 10^decimals, whether wide or not. */
export type Decoded =
  | { reason: RejectReason }
  | {
      symbol: string
      timestampUs: number
      open: bigint
      high: bigint
      low: bigint
      close: bigint
      volume: bigint
    }

/** The instant of every record in these tests: 2026-02-14T14:30:05.250Z. */
export const recordMs = 1_771_079_405_250

/**
 * Decodes a message that stands between other bytes, which must not matter: digits, quotes and braces would lead a scan
 * astray that reads too far.
 */
export function decode(
  decoder: MessageDecoder,
  value: Uint8Array | string | null,
  referenceMs = recordMs,
  decimals = 8,
): Decoded {
  if (value === null) return result(decoder, decoder.decode(surroundings, -1, -1, referenceMs), decimals)
  const bytes = Buffer.from(value)
  const buffer = Buffer.concat([surroundings, bytes, surroundings])
  const start = surroundings.length
  return result(decoder, decoder.decode(buffer, start, start + bytes.length, referenceMs), decimals)
}

/** Decodes a message in a buffer of just its size. */
export function decodeAlone(
  decoder: MessageDecoder,
  value: Uint8Array | string,
  referenceMs = recordMs,
  decimals = 8,
): Decoded {
  const buffer = Buffer.from(Uint8Array.from(Buffer.from(value)).buffer)
  return result(decoder, decoder.decode(buffer, 0, buffer.length, referenceMs), decimals)
}

const surroundings = Buffer.from('12.5"}] ,{"}')

function result(decoder: MessageDecoder, reason: RejectReason | undefined, decimals: number): Decoded {
  if (reason !== undefined) return { reason }
  const symbol = Buffer.from(decoder.symbolBytes.subarray(decoder.symbolStart, decoder.symbolEnd)).toString('latin1')
  const { timestampUs } = decoder
  if (decoder.isWide) {
    const { wideOpen, wideHigh, wideLow, wideClose, wideVolume } = decoder
    return { symbol, timestampUs, open: wideOpen, high: wideHigh, low: wideLow, close: wideClose, volume: wideVolume }
  }
  return {
    symbol,
    timestampUs,
    open: scaled(decoder.open, decimals),
    high: scaled(decoder.high, decimals),
    low: scaled(decoder.low, decimals),
    close: scaled(decoder.close, decimals),
    volume: scaled(decoder.volume, decimals),
  }
}

/** A number that is not wide keeps its promise: a whole number below 2^52 in magnitude, and no −0. */
function scaled(value: number, decimals: number): bigint {
  if (!Number.isInteger(value) || Math.abs(value) >= 2 ** 52 || Object.is(value, -0)) {
    throw new Error(`${value} stands in a field that is not wide`)
  }
  return BigInt(value) * 10n ** BigInt(decimals - 8)
}
