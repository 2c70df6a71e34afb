import { wideFrom } from './flat-decimal.ts'
import type { FlatMessage } from './flat-message.ts'
import { FlatScan } from './flat-scan.ts'
import { FullParser } from './full-parser.ts'
import type { RejectReason } from './reject-reason.ts'

export { type RejectReason, rejectReasons } from './reject-reason.ts'

/** Larger values are rejected unread. */
const maxBytes = 65_536
const wideFromScaled = BigInt(wideFrom)

/**
 * Decodes and validates messages, one after the other, as docs/message-format.md says.
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
  /** Whether one of the five numbers has a scaled magnitude of 2^52 or more: then all five stand in the wide fields. */
  isWide = false
  /** Scaled by 10^8, each below 2^52 in magnitude; valid when not wide. They start as NaN so that V8 keeps doubles. */
  open = Number.NaN
  high = Number.NaN
  low = Number.NaN
  close = Number.NaN
  volume = Number.NaN
  /** Scaled by 10^8; valid when wide. */
  wideOpen = 0n
  wideHigh = 0n
  wideLow = 0n
  wideClose = 0n
  wideVolume = 0n
  /** What was wrong with the message rejected last, in at most 200 printable ASCII characters. */
  detail = ''

  readonly #maxFutureUs: number
  readonly #scan = new FlatScan(this)
  readonly #parser = new FullParser()

  /** @param options.maxFutureSeconds how far a timestamp may be ahead of its record's own */
  constructor(options: { maxFutureSeconds: number }) {
    this.#maxFutureUs = options.maxFutureSeconds * 1e6
    this.symbolBytes = this.#parser.symbolBytes
  }

  /**
   * Decodes the value that stands in `buffer` from `start` to `end` (exclusive).
   *
   * @param start negative for a record without a value
   * @param referenceMs the record's own Kafka timestamp; the wall clock where it has none
   * @returns the reason of a rejection, told in `detail`; undefined when the message is accepted
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
    // Comparing is cheaper than to store again, of which the collector takes note.
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
      this.detail = parser.detail
      return reason
    }
    this.symbolBytes = parser.symbolBytes
    this.symbolStart = 0
    this.symbolEnd = parser.symbolLength
    this.timestampUs = parser.timestampUs
    this.#setNumbers()
    return undefined
  }

  #setNumbers(): void {
    const { open, high, low, close, volume } = this.#parser
    this.isWide = isWide(open) || isWide(high) || isWide(low) || isWide(close) || isWide(volume)
    if (this.isWide) {
      this.wideOpen = BigInt(open)
      this.wideHigh = BigInt(high)
      this.wideLow = BigInt(low)
      this.wideClose = BigInt(close)
      this.wideVolume = BigInt(volume)
    } else {
      this.open = Number(open)
      this.high = Number(high)
      this.low = Number(low)
      this.close = Number(close)
      this.volume = Number(volume)
    }
  }
}

function isWide(scaled: number | bigint): boolean {
  return typeof scaled === 'bigint' && (scaled >= wideFromScaled || scaled <= -wideFromScaled)
}
