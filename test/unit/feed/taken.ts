import type { PriceSource } from '../../../src/feed/source.ts'
import { readHeaders } from '../../../src/kafka/records/message-headers.ts'

export interface TakenMessage {
  readonly key: string
  readonly value: string
  readonly headers: Readonly<Record<string, string>>
}

/** Everything a source gives until its end, or so many messages. */
export async function takeAll(source: PriceSource, most = Number.POSITIVE_INFINITY): Promise<TakenMessage[]> {
  const { signal } = new AbortController()
  const taken: TakenMessage[] = []
  while (taken.length < most) {
    const batch = await source.next(signal)
    if (batch === undefined) return taken
    for (let i = 0; i < batch.count; i++) {
      const valueEnd = batch.valueEnd(i)
      taken.push({
        key: batch.key(i).bytes.toString(),
        value: batch.bytes.toString('utf8', batch.valueStart(i), valueEnd),
        headers: batch.end(i) > valueEnd ? Object.fromEntries(readHeaders(batch.bytes, valueEnd)) : {},
      })
    }
  }
  return taken
}

export interface Price {
  readonly symbol: string
  readonly timestamp: string
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
  readonly volume: number
}

export function priceOf({ value }: TakenMessage): Price {
  return JSON.parse(value) as Price
}
