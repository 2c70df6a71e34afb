import { SimulateSource } from '../../feed/simulate/simulate-source.ts'
import { MessageDecoder } from '../../kpi/decode/message.ts'
import { type PartialRow, Reducer } from '../../kpi/reducer.ts'
import { fastClock, orderlyMarket } from '../throughput/workload.ts'

/** The shape of the batches of a load. */
export interface BatchShape {
  readonly symbols: number
  /** Number of five-minute windows that each batch updates. */
  readonly windows: number
  /** Messages per batch. */
  readonly messages: number
  /** After this many commits, the next windows begin. */
  readonly commitsPerSpan: number
  /** Number of batches that are computed from messages. Later batches repeat them with their times moved. */
  readonly distinct: number
}

export const windowSeconds = 300
/** The default of the setting `DECIMALS`. */
export const decimals = 8
/** The start of a window; the day does not matter. */
const firstWindowMs = Date.UTC(2026, 1, 14, 14, 30)

/**
 * Batches as a worker would commit them: simulated messages, decoded and reduced by the worker's code. They are
 * computed before the measurement, because the writer shares the CPU cores with the database.
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

  /** The rows of a commit; commits are counted from 0. */
  rowsOf(commit: number): PartialRow[] {
    const { windows, messages, commitsPerSpan } = this.shape
    const spanUs = windows * windowSeconds * 1e6
    const windowUs = Math.floor(commit / commitsPerSpan) * spanUs
    // If one window is merged repeatedly, its messages get later, so that each merge changes the close.
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
