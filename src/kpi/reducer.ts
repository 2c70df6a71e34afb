import { raised } from './decimal.ts'
import { flatDecimals } from './decode/flat-decimal.ts'
import type { MessageDecoder } from './decode/message.ts'
import { addInteger, addProduct, integerSum, limbInverse, limbUnit, productSum } from './limbs.ts'
import { mergePartials, type PartialRow, partialOf } from './partial.ts'
import { type SymbolEntry, SymbolTable } from './symbol-table.ts'
import { windowStartUs } from './window.ts'

export type { PartialRow } from './partial.ts'

/**
 * Reduces decoded messages to one partial aggregate per symbol and window, until {@link Reducer.take} returns them
 * and starts again with none.
 *
 * The partials are stored in one array of doubles, one slot each, so that a message of the usual size touches one line of
 * numbers and makes no object. A message with a number too large for limbs, or with more fractional digits than the
 * fast path has, becomes a partial of its own by {@link partialOf}, and is merged with the slot's at the end. Slots are
 * scaled by 10^8, products by 10^16, whatever the setting `DECIMALS`: rows are scaled by it when they are taken.
 */
export class Reducer {
  readonly #windowUs: number
  readonly #latenessUs: number
  /** Fractional digits that rows have beyond those of a slot. */
  readonly #moreDigits: number
  readonly #symbols = new SymbolTable()
  readonly #owners: SymbolEntry[] = []
  #slots = new Float64Array(64 * slotSize)
  #used = 0
  #generation = 0
  /** By `SYMBOL START`; a symbol has no space. */
  #wide = new Map<string, PartialRow>()

  /** @param options.decimals - Of the decoder whose messages are added, too: 8 to 18. */
  constructor(options: { windowSeconds: number; allowedLatenessSeconds: number; decimals: number }) {
    this.#windowUs = options.windowSeconds * 1e6
    this.#latenessUs = options.allowedLatenessSeconds * 1e6
    this.#moreDigits = options.decimals - flatDecimals
  }

  /** Rows (symbol, window) that {@link take} would return; one with usual and wide messages may count twice. */
  get rowCount(): number {
    return this.#used + this.#wide.size
  }

  /**
   * Adds the message that the decoder has just accepted.
   *
   * @param watermarkUs - The highest accepted timestamp at lower offsets of the partition; −1 for none.
   */
  add(message: MessageDecoder, partition: number, offset: number, watermarkUs: number): void {
    const entry = this.#symbols.find(message.symbolBytes, message.symbolStart, message.symbolEnd)
    if (message.isWide) {
      this.#addWide(entry.name, message, partition, offset, watermarkUs)
      return
    }
    const us = message.timestampUs
    const age = us - entry.windowStartUs
    const isSame = entry.generation === this.#generation && age >= 0 && age < this.#windowUs
    const at = isSame ? entry.slot : this.#slotFor(entry, windowStartUs(us, this.#windowUs))
    const slots = this.#slots
    slots[at + f.n] = (slots[at + f.n] as number) + 1
    if (watermarkUs > (slots[at + f.lateAfterUs] as number)) slots[at + f.late] = (slots[at + f.late] as number) + 1
    addNumbers(slots, at, message)
    addOrder(slots, at, message, partition, offset)
  }

  /** The partials of everything added since the last call, in no order. */
  take(): PartialRow[] {
    const rows: PartialRow[] = []
    for (let index = 0; index < this.#used; index++) {
      const symbol = this.#owners[index]?.name ?? ''
      const row = rowOf(this.#slots, index * slotSize, symbol, this.#moreDigits)
      const wide = this.#wide.size > 0 ? this.#takeWide(row) : undefined
      rows.push(wide ? mergePartials(row, wide) : row)
    }
    rows.push(...this.#wide.values())
    this.#clear()
    return rows
  }

  /** Forgets everything added since the last {@link take}. */
  discard(): void {
    this.#clear()
  }

  #clear(): void {
    this.#used = 0
    this.#owners.length = 0
    this.#wide = new Map()
    this.#generation += 1
    // Invented symbols must not stay in memory forever, nor the slots of one huge batch.
    if (this.#symbols.count > maxKeptSymbols) this.#symbols.clear()
    if (this.#slots.length > maxKeptSlots * slotSize) this.#slots = new Float64Array(64 * slotSize)
  }

  #slotFor(entry: SymbolEntry, startUs: number): number {
    if (entry.generation !== this.#generation) {
      entry.generation = this.#generation
      entry.slots = undefined
    } else {
      entry.slots ??= new Map([[entry.windowStartUs, entry.slot]])
      const known = entry.slots.get(startUs)
      if (known !== undefined) {
        entry.windowStartUs = startUs
        entry.slot = known
        return known
      }
    }
    const at = this.#newSlot(entry, startUs)
    entry.slots?.set(startUs, at)
    entry.windowStartUs = startUs
    entry.slot = at
    return at
  }

  #newSlot(owner: SymbolEntry, startUs: number): number {
    const at = this.#used * slotSize
    if (at === this.#slots.length) {
      const grown = new Float64Array(this.#slots.length * 2)
      grown.set(this.#slots)
      this.#slots = grown
    }
    this.#owners.push(owner)
    this.#used += 1
    const slots = this.#slots
    slots.fill(0, at, at + slotSize)
    slots[at + f.windowStartUs] = startUs
    slots[at + f.lateAfterUs] = startUs + this.#windowUs + this.#latenessUs
    for (const lowest of [f.maxClose, f.high, f.lastUs]) slots[at + lowest] = Number.NEGATIVE_INFINITY
    for (const highest of [f.minClose, f.low, f.firstUs]) slots[at + highest] = Number.POSITIVE_INFINITY
    return at
  }

  #addWide(symbol: string, message: MessageDecoder, partition: number, offset: number, watermarkUs: number): void {
    const startUs = windowStartUs(message.timestampUs, this.#windowUs)
    const isLate = watermarkUs > startUs + this.#windowUs + this.#latenessUs
    const { timestampUs, wideOpen: open, wideHigh: high, wideLow: low, wideClose: close, wideVolume: volume } = message
    const bar = { symbol, timestampUs, open, high, low, close, volume }
    const row = partialOf(bar, { windowStartUs: startUs, partition, offset, isLate })
    const key = `${symbol} ${startUs}`
    const known = this.#wide.get(key)
    this.#wide.set(key, known ? mergePartials(known, row) : row)
  }

  #takeWide({ symbol, windowStartUs: startUs }: PartialRow): PartialRow | undefined {
    const key = `${symbol} ${startUs}`
    const row = this.#wide.get(key)
    this.#wide.delete(key)
    return row
  }
}

const maxKeptSymbols = 50_000
/** 60,000 slots are 13 MB. */
const maxKeptSlots = 60_000

/** The positions of the fields in a slot. */
const f = {
  n: 0,
  late: 1,
  windowStartUs: 2,
  /** A message is late when its partition's watermark is beyond this. */
  lateAfterUs: 3,
  minClose: 4,
  maxClose: 5,
  high: 6,
  low: 7,
  firstUs: 8,
  firstPartition: 9,
  firstOffset: 10,
  open: 11,
  lastUs: 12,
  lastPartition: 13,
  lastOffset: 14,
  close: 15,
  /** Two limbs each. */
  sumClose: 16,
  sumVolume: 18,
  /** Four limbs each. */
  sumCloseSq: 20,
  sumCloseVolume: 24,
} as const
const slotSize = 28

function addNumbers(slots: Float64Array, at: number, message: MessageDecoder): void {
  const { close, volume, high, low } = message
  if (close < (slots[at + f.minClose] as number)) slots[at + f.minClose] = close
  if (close > (slots[at + f.maxClose] as number)) slots[at + f.maxClose] = close
  if (high > (slots[at + f.high] as number)) slots[at + f.high] = high
  if (low < (slots[at + f.low] as number)) slots[at + f.low] = low
  addInteger(slots, at + f.sumClose, close)
  addInteger(slots, at + f.sumVolume, volume)
  const closeHigh = Math.floor(close * limbInverse)
  const closeLow = close - closeHigh * limbUnit
  const volumeHigh = Math.floor(volume * limbInverse)
  const volumeLow = volume - volumeHigh * limbUnit
  addProduct(slots, at + f.sumCloseSq, closeHigh, closeLow, closeHigh, closeLow)
  addProduct(slots, at + f.sumCloseVolume, closeHigh, closeLow, volumeHigh, volumeLow)
}

function addOrder(slots: Float64Array, at: number, message: MessageDecoder, partition: number, offset: number): void {
  const us = message.timestampUs
  const lastUs = slots[at + f.lastUs] as number
  if (us > lastUs || (us === lastUs && isAfter(slots, at + f.lastPartition, partition, offset))) {
    slots[at + f.lastUs] = us
    slots[at + f.lastPartition] = partition
    slots[at + f.lastOffset] = offset
    slots[at + f.close] = message.close
  }
  const firstUs = slots[at + f.firstUs] as number
  if (us < firstUs || (us === firstUs && !isAfter(slots, at + f.firstPartition, partition, offset))) {
    slots[at + f.firstUs] = us
    slots[at + f.firstPartition] = partition
    slots[at + f.firstOffset] = offset
    slots[at + f.open] = message.open
  }
}

/** Whether (partition, offset) comes after the pair stored at `at`. */
function isAfter(slots: Float64Array, at: number, partition: number, offset: number): boolean {
  const known = slots[at] as number
  return partition === known ? offset > (slots[at + 1] as number) : partition > known
}

/** @param digits - Fractional digits beyond those of the slot. */
function rowOf(slots: Float64Array, at: number, symbol: string, digits: number): PartialRow {
  const value = (field: number) => slots[at + field] as number
  return {
    symbol,
    windowStartUs: value(f.windowStartUs),
    n: value(f.n),
    sumClose: raised(integerSum(slots, at + f.sumClose), digits),
    sumCloseSq: raised(productSum(slots, at + f.sumCloseSq), 2 * digits),
    sumCloseVolume: raised(productSum(slots, at + f.sumCloseVolume), 2 * digits),
    sumVolume: raised(integerSum(slots, at + f.sumVolume), digits),
    minClose: raised(BigInt(value(f.minClose)), digits),
    maxClose: raised(BigInt(value(f.maxClose)), digits),
    high: raised(BigInt(value(f.high)), digits),
    low: raised(BigInt(value(f.low)), digits),
    first: placed(slots, at + f.firstUs, digits),
    last: placed(slots, at + f.lastUs, digits),
    lateCount: value(f.late),
  }
}

function placed(slots: Float64Array, at: number, digits: number): PartialRow['first'] {
  const [timestampUs = 0, partition = 0, offset = 0, price = 0] = slots.subarray(at, at + 4)
  return { timestampUs, partition, offset, price: raised(BigInt(price), digits) }
}
