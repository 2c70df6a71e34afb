import { raised } from '../decimal.ts'
import { flatDecimals, wideFrom } from './flat-decimal.ts'
import type { FlatMessage } from './flat-message.ts'
import { FlatScan } from './flat-scan.ts'
import { FullParser, type NumberLoss } from './full-parser.ts'
import { futureDetail } from './future-detail.ts'
import type { RejectReason } from './reject-reason.ts'

export { type RejectReason, rejectReasons } from './reject-reason.ts'

/** Larger values are rejected without being read. */
const maxBytes = 65_536
const wideFromScaled = BigInt(wideFrom)

export interface DecoderOptions {
  /** How far a timestamp may be ahead of its record's own. */
  readonly maxFutureSeconds: number
  /** Fractional digits that are kept: the setting `DECIMALS`, 8 to 18. */
  readonly decimals: number
  /** Called for each accepted message of which a number was changed by more than one ten-thousandth when it was rounded. */
  readonly onPrecisionLost?: (loss: PrecisionLoss) => void
}

/** One message that lost precision: the number that lost most. */
export interface PrecisionLoss extends NumberLoss {
  readonly symbol: string
}

/**
 * Decodes and validates one message at a time, as docs/message-format.md describes.
 *
 * The usual shape is scanned in place ({@link FlatScan}); whatever that declines goes to the full parser, which alone
 * decides rejections. When {@link MessageDecoder.decode} accepted a message, the public fields hold it until the next
 * call; no object is made for one of the usual shape.
 */
export class MessageDecoder implements FlatMessage {
  /** The bytes that `symbolStart` and `symbolEnd` point into: the input, or a buffer of the decoder's own. */
  symbolBytes: Uint8Array
  symbolStart = 0
  symbolEnd = 0
  /** Event time in microseconds since the epoch, an integer from 0 to 2^53 − 1. */
  timestampUs = Number.NaN
  /**
   * Whether one of the five numbers has more than eight fractional digits, or a magnitude of 2^52 or more when it is
   * scaled by 10^8: then all five are in the wide fields.
   */
  isWide = false
  /** Scaled by 10^8, each below 2^52 in magnitude; valid when not wide. They start as NaN so that V8 keeps doubles. */
  open = Number.NaN
  high = Number.NaN
  low = Number.NaN
  close = Number.NaN
  volume = Number.NaN
  /** Scaled by 10^decimals; valid when wide. */
  wideOpen = 0n
  wideHigh = 0n
  wideLow = 0n
  wideClose = 0n
  wideVolume = 0n
  /** What was wrong with the message rejected last, in at most 200 printable ASCII characters. */
  detail = ''

  readonly #maxFutureUs: number
  readonly #scan: FlatScan
  readonly #parser: FullParser
  /** Digits that wide numbers have beyond those of the fast path, and what one of the fast path is multiplied by. */
  readonly #moreDigits: number
  readonly #raise: bigint
  readonly #onPrecisionLost: DecoderOptions['onPrecisionLost']

  constructor({ maxFutureSeconds, decimals, onPrecisionLost }: DecoderOptions) {
    this.#maxFutureUs = maxFutureSeconds * 1e6
    this.#scan = new FlatScan(this, decimals)
    this.#parser = new FullParser(decimals)
    this.#moreDigits = decimals - flatDecimals
    this.#raise = raised(1n, this.#moreDigits)
    this.#onPrecisionLost = onPrecisionLost
    this.symbolBytes = this.#parser.symbolBytes
  }

  /**
   * Decodes the value in `buffer` from `start` to `end` (exclusive).
   *
   * @param start negative for a record without a value
   * @param referenceMs the record's own Kafka timestamp; the wall clock where it has none
   * @returns the reason of a rejection, described in `detail`; undefined when the message is accepted
   */
  decode(buffer: Buffer, start: number, end: number, referenceMs: number): RejectReason | undefined {
    const latestUs = referenceMs * 1000 + this.#maxFutureUs
    if (
      start < 0 ||
      end - start > maxBytes ||
      !this.#scan.scan(buffer, start, end) ||
      !(this.timestampUs <= latestUs)
    ) {
      return this.#decodeFully(buffer, start, end, latestUs)
    }
    // Comparing is cheaper than storing again, which the garbage collector would have to record.
    if (this.symbolBytes !== buffer) this.symbolBytes = buffer
    this.isWide = false
    return undefined
  }

  #decodeFully(buffer: Buffer, start: number, end: number, latestUs: number): RejectReason | undefined {
    if (start < 0 || end <= start) {
      this.detail = 'no value'
      return 'empty'
    }
    if (end - start > maxBytes) {
      this.detail = `${end - start} bytes, more than ${maxBytes}`
      return 'too_large'
    }
    const parser = this.#parser
    const reason = parser.parse(buffer, start, end, latestUs)
    if (reason !== undefined) {
      const isFuture = reason === 'future_timestamp'
      this.detail = isFuture ? futureDetail(parser.timestampUs, (latestUs - this.#maxFutureUs) / 1000) : parser.detail
      return reason
    }
    this.symbolBytes = parser.symbolBytes
    this.symbolStart = 0
    this.symbolEnd = parser.symbolLength
    this.timestampUs = parser.timestampUs
    this.#setNumbers()
    if (parser.loss !== undefined) this.#onPrecisionLost?.({ symbol: this.#symbol(), ...parser.loss })
    return undefined
  }

  #symbol(): string {
    const { buffer, byteOffset } = this.symbolBytes
    return Buffer.from(buffer, byteOffset + this.symbolStart, this.symbolEnd - this.symbolStart).toString('latin1')
  }

  #setNumbers(): void {
    const { open, high, low, close, volume } = this.#parser
    this.isWide =
      this.#isWide(close) || this.#isWide(volume) || this.#isWide(open) || this.#isWide(high) || this.#isWide(low)
    if (this.isWide) {
      this.wideOpen = this.#wide(open)
      this.wideHigh = this.#wide(high)
      this.wideLow = this.#wide(low)
      this.wideClose = this.#wide(close)
      this.wideVolume = this.#wide(volume)
    } else {
      this.open = this.#narrow(open)
      this.high = this.#narrow(high)
      this.low = this.#narrow(low)
      this.close = this.#narrow(close)
      this.volume = this.#narrow(volume)
    }
  }

  #isWide(scaled: number | bigint): boolean {
    if (typeof scaled === 'number') return false
    if (scaled % this.#raise !== 0n) return true
    const flat = scaled / this.#raise
    return flat >= wideFromScaled || flat <= -wideFromScaled
  }

  #wide(scaled: number | bigint): bigint {
    return typeof scaled === 'bigint' ? scaled : raised(BigInt(scaled), this.#moreDigits)
  }

  #narrow(scaled: number | bigint): number {
    return typeof scaled === 'bigint' ? Number(scaled / this.#raise) : scaled
  }
}
