import { SimulateSource } from '../../feed/simulate/simulate-source.ts'
import { MessageDecoder } from '../../kpi/decode/message.ts'
import { type PartialRow, Reducer } from '../../kpi/reducer.ts'
import { fastClock, orderlyMarket } from '../throughput/workload.ts'

/** What the batches of a load look like. */
export interface BatchShape {
  readonly symbols: number
  /** Of five minutes, that each batch touches. */
  readonly windows: number
  /** Of a batch. */
  readonly messages: number
  /** After so many commits the next windows begin. */
  readonly commitsPerSpan: number
  /** Batches that are reduced from messages; the following ones are these again, moved in time. */
  readonly distinct: number
}

export const windowSeconds = 300
/** As the setting `DECIMALS` has it by default. */
export const decimals = 8
/** Rounded to the start of a window; any day will do. */
const firstWindowMs = Date.UTC(2026, 1, 14, 14, 30)

/**
 * Batches as a worker would commit them: simulated messages, decoded and reduced by its own code. They are made before
 * anything is measured, since the writer shares the cores with the database.
 */
export class PartialBatches {
  readonly shape: BatchShape
  readonly #pool: readonly PartialRow[][]

  static async prepare(shape: BatchShape): Promise<PartialBatches> {
    const pool: PartialRow[][] = []
    for (let i = 0; i < shape.distinct; i++) pool.push(await reduceOne(shape, i))
    return new PartialBatches(shape, pool)
  }

  private constructor(shape: BatchShape, pool: readonly PartialRow[][]) {
    this.shape = shape
    this.#pool = pool
  }

  /** The rows of one commit after the other, counted from 0. */
  rowsOf(commit: number): PartialRow[] {
    const { windows, messages, commitsPerSpan } = this.shape
    const spanUs = windows * windowSeconds * 1e6
    const windowUs = Math.floor(commit / commitsPerSpan) * spanUs
    // Where one window is merged again and again its messages get later, so that each merge brings a new close.
    const withinUs = windows === 1 ? (commit % commitsPerSpan) * (spanUs / commitsPerSpan) : 0
    const rows = this.#pool[commit % this.#pool.length] ?? []
    return rows.map((row) => moved(row, { windowUs, eventUs: windowUs + withinUs, offsets: commit * messages }))
  }
}

function moved(row: PartialRow, by: { windowUs: number; eventUs: number; offsets: number }): PartialRow {
  const place = (placed: PartialRow['first']) => ({
    ...placed,
    timestampUs: placed.timestampUs + by.eventUs,
    offset: placed.offset + by.offsets,
  })
  return { ...row, windowStartUs: row.windowStartUs + by.windowUs, first: place(row.first), last: place(row.last) }
}

async function reduceOne(shape: BatchShape, index: number): Promise<PartialRow[]> {
  const { symbols, windows, messages, commitsPerSpan } = shape
  const spanSeconds = windows * windowSeconds
  const seconds = windows === 1 ? spanSeconds / commitsPerSpan : spanSeconds
  const market = { ...orderlyMarket({ symbols, ratePerSecond: messages / seconds, count: messages }), seed: `${index}` }
  const source = new SimulateSource(market, fastClock(firstWindowMs))
  const decoder = new MessageDecoder({ maxFutureSeconds: windowSeconds, decimals })
  const reducer = new Reducer({ windowSeconds, allowedLatenessSeconds: 120, decimals })
  const { signal } = new AbortController()
  let offset = 0
  for (let batch = await source.next(signal); batch; batch = await source.next(signal)) {
    for (let i = 0; i < batch.count; i++) {
      const reason = decoder.decode(batch.bytes, batch.valueStart(i), batch.valueEnd(i), Number.MAX_SAFE_INTEGER)
      if (reason === undefined) reducer.add(decoder, 0, offset++, -1)
    }
  }
  return reducer.take()
}
