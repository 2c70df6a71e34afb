import { KpiError } from '../../errors.ts'
import { numberArray } from '../client/sql-values.ts'
import type { Definition, HeldDefinition } from '../schema/definition.ts'
import type { RebuildSession } from './session.ts'

/** The counters of one partition, after a rebuild. */
export interface RebuiltCounters {
  readonly partition: number
  readonly watermarkUs: number
  readonly merged: number
  readonly rejected: number
  readonly withoutMessage: number
  readonly purged: number
}

/** Writes the counters of all partitions, which are locked; retried messages are counted again. */
export async function writeCounters(
  session: RebuildSession,
  { consumerGroup, topic }: Definition,
  counters: readonly RebuiltCounters[],
): Promise<void> {
  await session.run(
    `UPDATE kpi_consumer_offsets o SET
       watermark_us = c.watermark_us, merged = c.merged, rejected = c.rejected, without_message = c.without_message,
       purged = c.purged, updated_at = now(),
       retried = (
         SELECT count(l.retried_at) FROM dead_letters l WHERE l.topic = o.topic AND l.partition = o.partition
       ) + (
         SELECT count(a.letter->>'retried_at') FROM kpi_archived_letters a JOIN kpi_definition USING (topic_id)
         WHERE (a.letter->>'partition')::integer = o.partition
       )
     FROM unnest($3::integer[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])
       AS c(partition, watermark_us, merged, rejected, without_message, purged)
     WHERE o.consumer_group = $1 AND o.topic = $2 AND o.partition = c.partition`,
    [
      consumerGroup,
      topic,
      numberArray(counters.map((c) => c.partition)),
      numberArray(counters.map((c) => c.watermarkUs)),
      numberArray(counters.map((c) => c.merged)),
      numberArray(counters.map((c) => c.rejected)),
      numberArray(counters.map((c) => c.withoutMessage)),
      numberArray(counters.map((c) => c.purged)),
    ],
  )
}

/** Messages that the positions say are in rows, pruned ones included. */
export async function countMerged(session: RebuildSession, { consumerGroup, topic }: Definition): Promise<number> {
  const { rows } = await session.run<{ messages: number }>(
    `SELECT coalesce(sum(merged + retried), 0)::bigint AS messages FROM kpi_consumer_offsets
     WHERE consumer_group = $1 AND topic = $2`,
    [consumerGroup, topic],
  )
  return rows[0]?.messages ?? 0
}

/**
 * Replaces the definition of this database, under a new id: a worker of the old one stops at its next commit. If the group
 * changes, positions and gaps are moved to it.
 */
export async function replaceDefinition(
  session: RebuildSession,
  held: HeldDefinition,
  wanted: Definition,
): Promise<void> {
  const { consumerGroup, windowSeconds, allowedLatenessSeconds, maxFutureSeconds, decimals } = wanted
  const replaced = await session.run<{ id: number | null }>(
    'SELECT kpi_replace_definition($1, $2, $3, $4, $5, $6) AS id',
    [held.id, consumerGroup, windowSeconds, allowedLatenessSeconds, maxFutureSeconds, decimals],
  )
  if (replaced.rows[0]?.id == null) {
    throw new KpiError('KPI_DEFINITION_MISMATCH', `the database at ${session.place} now holds another definition`)
  }
  if (consumerGroup === held.consumerGroup) return
  for (const table of ['kpi_consumer_offsets', 'kpi_gaps']) {
    await session.run(`UPDATE ${table} SET consumer_group = $3 WHERE consumer_group = $1 AND topic = $2`, [
      held.consumerGroup,
      held.topic,
      consumerGroup,
    ])
  }
}

/** Records that rows of windows before this were left as they were under an earlier definition. */
export async function noteEarlierRows(
  session: RebuildSession,
  startsBeforeUs: number,
  windowSeconds: number,
): Promise<void> {
  // The clock, not the transaction's time: merges that ended before the positions were locked belong in those rows.
  await session.run(
    `INSERT INTO kpi_earlier_rows (starts_before, left_at, window_seconds)
     VALUES (kpi_instant($1), clock_timestamp(), $2)`,
    [startsBeforeUs, windowSeconds],
  )
}
