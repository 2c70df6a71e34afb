import type { KnownTransaction } from '../faults/open-transaction.ts'
import type { Sent } from '../load.ts'
import type { RecordedGap } from './gaps.ts'
import { type KnownMessage, knownMessage, messageNamed } from './known-messages.ts'
import type { ExpectedLetter, Oracle } from './oracle.ts'
import type { LogEntry } from './partition-log.ts'

/** What is known of the newest stretch of the log. */
export interface Stretch {
  readonly seed: number
  readonly sent: Sent
  readonly transactions: readonly KnownTransaction[]
  /** The log from where the oracle has got to, by partition. */
  readonly logs: readonly (readonly LogEntry[])[]
  /** The same stretch as a leader had it whose end an unclean election took away. */
  readonly losses: ReadonlyMap<number, readonly LogEntry[]>
  /** Those that were recorded since the last time. */
  readonly gaps: readonly RecordedGap[]
}

/**
 * Tells the oracle the newest stretch of the log, which must hold exactly what was sent, in order, except what a producer
 * lost that gave up, or an unclean election took away. What workers may have counted of that is what a recorded gap says.
 *
 * @returns Letters of the stretch, by `PARTITION OFFSET`.
 * @throws When the log holds anything else, or a gap is not where the log was cut.
 */
export function readBack(stretch: Stretch, oracle: Oracle): Map<string, ExpectedLetter> {
  const letters = new Map<string, ExpectedLetter>()
  const seen = new Map<string, number>()
  for (const [partition, log] of stretch.logs.entries()) {
    new PartitionReader(stretch, oracle, { partition, letters, seen }).read(log)
  }
  for (const transaction of stretch.transactions) checkTransaction(transaction, seen)
  return letters
}

/** What was acknowledged of a committed one counts, and nothing of one that was aborted. */
function checkTransaction({ stream, count, outcome }: KnownTransaction, seen: ReadonlyMap<string, number>): void {
  const found = seen.get(stream) ?? 0
  if (outcome === 'committed' && found < count) throw new Error(`${stream}: ${found} of ${count} messages are there`)
  if (outcome === 'aborted' && found > 0) throw new Error(`${stream} was aborted, and ${found} of its messages count`)
}

interface Place {
  readonly partition: number
  readonly letters: Map<string, ExpectedLetter>
  /** Messages of each other stream. */
  readonly seen: Map<string, number>
}

class PartitionReader {
  readonly #stretch: Stretch
  readonly #oracle: Oracle
  readonly #place: Place
  readonly #indexes: readonly number[]
  readonly #mayLack: boolean
  /** In the messages that were sent. */
  #at = 0

  constructor(stretch: Stretch, oracle: Oracle, place: Place) {
    this.#stretch = stretch
    this.#oracle = oracle
    this.#place = place
    this.#indexes = stretch.sent.indexes[place.partition] ?? []
    this.#mayLack = stretch.sent.gaveUp || stretch.losses.has(place.partition)
  }

  read(log: readonly LogEntry[]): void {
    const { partition } = this.#place
    const gap = this.#gap()
    const lost = this.#stretch.losses.get(partition) ?? []
    const common = commonLength(log, lost)
    const start = this.#oracle.nextOffset(partition)
    if (gap !== undefined) this.#checkGap(gap, { cut: start + common, end: start + lost.length })
    this.#addAll(log.slice(0, common))
    if (gap !== undefined) {
      const at = this.#at
      this.#countLost(lost.slice(common, gap.toOffset - start), gap)
      this.#at = at
    }
    this.#addAll(log.slice(common))
    if (this.#at < this.#indexes.length && !this.#mayLack) {
      throw new Error(
        `partition ${partition} has ${this.#at} of the ${this.#indexes.length} messages acknowledged last`,
      )
    }
  }

  #gap(): RecordedGap | undefined {
    const { partition } = this.#place
    const [gap, second] = this.#stretch.gaps.filter((one) => one.partition === partition)
    if (second !== undefined) throw new Error(`partition ${partition} has two gaps: ${JSON.stringify([gap, second])}`)
    return gap
  }

  #checkGap(gap: RecordedGap, { cut, end }: { cut: number; end: number }): void {
    if (gap.kind === 'cut' && gap.fromOffset === cut && gap.toOffset <= end) return
    const was = cut >= end ? 'it was not cut' : `it was cut at ${cut}, and had ended at ${end}`
    throw new Error(`the gap ${JSON.stringify(gap)} does not fit the log: ${was}`)
  }

  #countLost(entries: readonly LogEntry[], { fromOffset }: RecordedGap): void {
    const { partition, letters } = this.#place
    const before = letters.size
    this.#addAll(entries)
    const archived = letters.size - before
    for (const { offset } of entries) letters.delete(`${partition} ${offset}`)
    this.#oracle.rewind(partition, fromOffset, archived)
  }

  #addAll(entries: readonly LogEntry[]): void {
    const { partition, letters } = this.#place
    for (const entry of entries) {
      const offset = this.#oracle.nextOffset(partition)
      const place = `${partition} ${offset}`
      if (entry.offset !== offset) throw new Error(`the log has offset ${entry.offset} where ${place} has to be`)
      if (entry.kind === 'open') throw new Error(`a transaction is still open at ${place}`)
      const letter = this.#oracle.add(partition, entry.kind === 'message' ? this.#messageAt(place, entry) : undefined)
      if (letter) letters.set(place, letter)
    }
  }

  #messageAt(place: string, { value, name }: LogEntry): KnownMessage {
    const { seed } = this.#stretch
    const stream = name?.slice(0, name.lastIndexOf('/'))
    const message =
      name !== undefined && stream !== String(seed) ? messageNamed(name) : this.#nextSent(place, value, name)
    if (stream !== undefined) this.#place.seen.set(stream, (this.#place.seen.get(stream) ?? 0) + 1)
    if (value === message.value) return message
    throw new Error(`the log has at ${place} another message than ${name ?? 'was sent'}: ${value}`)
  }

  /** The next one of the load, or one behind it where some may be lacking. */
  #nextSent(place: string, value: string, name: string | undefined): KnownMessage {
    const { seed } = this.#stretch
    for (let at = this.#at; at < this.#indexes.length; at++) {
      const message = knownMessage(seed, this.#indexes[at] ?? -1)
      if (name === undefined ? message.value === value : name === `${seed}/${this.#indexes[at]}`) {
        this.#at = at + 1
        return message
      }
      if (!this.#mayLack) break
    }
    throw new Error(`the log has a message at ${place} that nobody sent there: ${name ?? ''} ${value}`)
  }
}

/** How much of the log is what the other leader had too: written by the same leader, at the same offsets. */
function commonLength(log: readonly LogEntry[], lost: readonly LogEntry[]): number {
  if (lost.length === 0) return log.length
  const differs = log.findIndex(({ epoch }, index) => lost[index]?.epoch !== epoch)
  return differs < 0 ? log.length : differs
}
