import { KpiError } from '../../errors.ts'
import type { PartialRow } from '../../kpi/partial.ts'
import type { Database } from '../client/connection.ts'
import type { PositionKey } from '../positions/positions.ts'
import { mergeStatement } from '../windows/merge-parameters.ts'
import type { LetterPlace } from './dead-letters.ts'

/** A rejected message that is accepted now. */
export interface RetriedLetter extends LetterPlace {
  /** What is merged: the corrected value, or the one from the log. */
  readonly payload: Uint8Array
  /** The message's own partial, given its partition's watermark: that decides whether it is late. */
  readonly rowAt: (watermarkUs: number) => PartialRow
}

/**
 * Merges a rejected message, and marks its dead letter as retried: both or neither, and only once however many sessions try. The locks are
 * those of a commit, in its order: the position, then the row.
 *
 * @param definition - Under which the message was decoded.
 * @returns What was merged.
 * @throws KpiError `KPI_LETTER_MISSING` when there is no such dead letter, or it was retried already;
 *   `KPI_DEFINITION_MISMATCH` when the database holds another definition now.
 */
export async function retryLetter(
  database: Database,
  key: PositionKey,
  definition: { id: number; windowSeconds: number; decimals: number },
  letter: RetriedLetter,
): Promise<PartialRow> {
  const { group, topic } = key
  const { partition, offset } = letter
  return database.transaction(async (client) => {
    const position = await client.query<{ watermarkUs: number }>(
      `UPDATE kpi_consumer_offsets SET retried = retried + 1, updated_at = now()
       WHERE consumer_group = $1 AND topic = $2 AND partition = $3 RETURNING watermark_us AS "watermarkUs"`,
      [group, topic, partition],
    )
    const same = await client.query('SELECT FROM kpi_definition WHERE id = $1', [definition.id])
    if (same.rowCount === 0) {
      throw new KpiError('KPI_DEFINITION_MISMATCH', `the database at ${database.place} now holds another definition`)
    }
    const row = letter.rowAt(position.rows[0]?.watermarkUs ?? -1)
    const marked = await client.query(
      `UPDATE dead_letters SET retried_at = now(), retried_payload = $4, retried_late = $5
       WHERE topic = $1 AND partition = $2 AND message_offset = $3 AND retried_at IS NULL`,
      [topic, partition, offset, letter.payload, row.lateCount > 0],
    )
    if (position.rowCount !== 1 || marked.rowCount !== 1) throw letterMissing({ partition, offset })
    await client.query(mergeStatement([row], definition))
    return row
  })
}

export function letterMissing({ partition, offset }: LetterPlace): KpiError {
  return new KpiError(
    'KPI_LETTER_MISSING',
    `no rejected message of partition ${partition} has the offset ${offset}, or it was retried already: see 'market-kpi dead-letters list'`,
  )
}
