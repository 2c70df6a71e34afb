import { fnv1a, isSame } from './byte-strings.ts'

/** One symbol, and where the reducer keeps its windows of the pending batch. */
export interface SymbolEntry {
  readonly name: string
  readonly bytes: Uint8Array
  readonly hash: number
  /** The batch that the fields below belong to. */
  generation: number
  /** The window of the last message, and its slot; most messages fall into the same. */
  windowStartUs: number
  slot: number
  /** All windows of this batch by their start, once there is a second one. */
  slots: Map<number, number> | undefined
}

/**
 * Symbols by their bytes, without making a string for each message: open addressing, linear probing, at most half full.
 */
export class SymbolTable {
  #entries: (SymbolEntry | undefined)[] = new Array(1024).fill(undefined)
  #count = 0

  get count(): number {
    return this.#count
  }

  /** The entry of the symbol `bytes[start, end)`, made when it is new. */
  find(bytes: Uint8Array, start: number, end: number): SymbolEntry {
    const hash = hashOf(bytes, start, end)
    const mask = this.#entries.length - 1
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const entry = this.#entries[at]
      // A copy: Buffer.slice would be a view of what is overwritten soon.
      if (entry === undefined) return this.#insert(at, Uint8Array.from(bytes.subarray(start, end)), hash)
      if (entry.hash === hash && isSame(entry.bytes, bytes, start, end)) return entry
    }
  }

  clear(): void {
    this.#entries = new Array(1024).fill(undefined)
    this.#count = 0
  }

  #insert(at: number, bytes: Uint8Array, hash: number): SymbolEntry {
    const name = String.fromCharCode(...bytes) // ASCII, at most 32
    const entry: SymbolEntry = { name, bytes, hash, generation: -1, windowStartUs: -1, slot: -1, slots: undefined }
    this.#entries[at] = entry
    this.#count += 1
    if (this.#count * 2 > this.#entries.length) this.#grow()
    return entry
  }

  #grow(): void {
    const old = this.#entries
    const mask = old.length * 2 - 1
    this.#entries = new Array(old.length * 2).fill(undefined)
    for (const entry of old) {
      if (entry === undefined) continue
      let at = entry.hash & mask
      while (this.#entries[at] !== undefined) at = (at + 1) & mask
      this.#entries[at] = entry
    }
  }
}

/** With a final mix, since the table takes the lowest bits. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  const h = fnv1a(bytes, start, end)
  return (h ^ (h >>> 15)) >>> 0
}
