import type { AbortedTransaction } from '../../../../src/kafka/records/aborted-transactions.ts'
import { walkRecords } from '../../../../src/kafka/records/record-batch.ts'
import type { RecordRange } from '../../../../src/kafka/records/record-range.ts'

/** What a walk came upon. */
export interface Visited {
  readonly records: {
    readonly offset: number
    readonly timestampMs: number
    readonly key: string | null
    readonly value: string | null
  }[]
  /** How many offsets held none. */
  readonly withoutMessage: number
  readonly next: number
}

export function visit(range: RecordRange, from: number, aborted: readonly AbortedTransaction[] = []): Visited {
  const records: Visited['records'] = []
  let withoutMessage = 0
  const next = walkRecords(range, from, aborted, {
    record: (buffer, offset, timestampMs, valueStart, valueEnd, keyStart, keyEnd) => {
      const text = (start: number, end: number) => (start < 0 ? null : buffer.toString('utf8', start, end))
      records.push({ offset, timestampMs, key: text(keyStart, keyEnd), value: text(valueStart, valueEnd) })
    },
    withoutMessage: (count) => {
      withoutMessage += count
    },
  })
  return { records, withoutMessage, next }
}
