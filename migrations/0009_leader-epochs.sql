-- The leader epoch of the last record batch that was read, with the position (KIP-320). A broker compares it with its own
-- log, and so finds out that messages that were read are not in the log any more, even when the log has grown past the
-- position again: after an unclean leader election, or when a broker was restored from a backup.

-- NULL where it is not known: for positions of an earlier version, and after a gap was accepted.
ALTER TABLE kpi_consumer_offsets ADD COLUMN leader_epoch integer;
-- The first offset that was read under this epoch.
ALTER TABLE kpi_consumer_offsets ADD COLUMN leader_epoch_from bigint;

-- As before, with the epochs. A worker of an earlier version, which calls it without them, sets them to NULL: an epoch
-- that did not belong to the position would look like a log that was cut.
DROP FUNCTION kpi_commit(
  bigint, text, text,
  integer[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[],
  text[], bigint[], bigint[], numeric[], numeric[], numeric[], numeric[], numeric[], numeric[], numeric[], numeric[],
  bigint[], integer[], bigint[], numeric[], bigint[], integer[], bigint[], numeric[], bigint[],
  integer[], bigint[], text[], text[], bytea[], bytea[], bigint[]
);
CREATE FUNCTION kpi_commit(
  p_definition bigint, p_group text, p_topic text,
  p_partition integer[], p_expected bigint[], p_next bigint[], p_watermark bigint[],
  p_merged bigint[], p_rejected bigint[], p_without bigint[],
  p_symbol text[], p_window_start bigint[], p_n bigint[],
  p_sum_close numeric[], p_sum_close_sq numeric[], p_sum_close_volume numeric[], p_sum_volume numeric[],
  p_min_close numeric[], p_max_close numeric[], p_high numeric[], p_low numeric[],
  p_first_at bigint[], p_first_partition integer[], p_first_offset bigint[], p_open numeric[],
  p_last_at bigint[], p_last_partition integer[], p_last_offset bigint[], p_close numeric[],
  p_late bigint[],
  l_partition integer[], l_offset bigint[], l_reason text[], l_detail text[], l_payload bytea[], l_key bytea[],
  l_message_at bigint[],
  p_leader_epoch integer[] DEFAULT NULL, p_leader_epoch_from bigint[] DEFAULT NULL
) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_matched integer;
  v_window_seconds integer;
BEGIN
  -- 1. Fence: lock the positions, in partition order, and only where they stand as this batch expects.
  SELECT count(*) INTO v_matched FROM (
    SELECT FROM kpi_consumer_offsets o
    JOIN unnest(p_partition, p_expected) AS e(partition, next_offset) USING (partition, next_offset)
    WHERE o.consumer_group = p_group AND o.topic = p_topic
    ORDER BY o.partition
    FOR UPDATE OF o
  ) AS locked;
  IF v_matched <> cardinality(p_partition) THEN
    RAISE EXCEPTION 'the position of % of % partitions has moved', cardinality(p_partition) - v_matched,
      cardinality(p_partition) USING ERRCODE = 'KP001';
  END IF;

  -- 2. Check, in a later snapshot than the lock's, then advance.
  SELECT d.window_seconds INTO v_window_seconds FROM kpi_definition d WHERE d.id = p_definition;
  IF v_window_seconds IS NULL THEN
    RAISE EXCEPTION 'the definition has changed' USING ERRCODE = 'KP002';
  END IF;
  UPDATE kpi_consumer_offsets o SET
    next_offset = a.next_offset,
    leader_epoch = nullif(a.leader_epoch, -1),
    leader_epoch_from = nullif(a.leader_epoch_from, -1),
    watermark_us = greatest(o.watermark_us, a.watermark_us),
    merged = o.merged + a.merged,
    rejected = o.rejected + a.rejected,
    without_message = o.without_message + a.without_message,
    idle_since = NULL,
    updated_at = now()
  FROM unnest(
    p_partition, p_next, p_watermark, p_merged, p_rejected, p_without, p_leader_epoch, p_leader_epoch_from
  ) AS a(
    partition, next_offset, watermark_us, merged, rejected, without_message, leader_epoch, leader_epoch_from
  )
  WHERE o.consumer_group = p_group AND o.topic = p_topic AND o.partition = a.partition;

  -- 3. Merge.
  IF cardinality(p_symbol) > 0 THEN
    PERFORM kpi_merge(
      v_window_seconds, p_symbol, p_window_start, p_n, p_sum_close, p_sum_close_sq, p_sum_close_volume, p_sum_volume,
      p_min_close, p_max_close, p_high, p_low, p_first_at, p_first_partition, p_first_offset, p_open,
      p_last_at, p_last_partition, p_last_offset, p_close, p_late
    );
  END IF;

  -- 4. Quarantine. A letter that is already there would mean that its offset was counted before: let it raise.
  IF cardinality(l_partition) > 0 THEN
    INSERT INTO dead_letters (topic, partition, message_offset, reason, detail, payload, key, message_timestamp)
    SELECT p_topic, l.partition, l.message_offset, l.reason, l.detail, l.payload, l.key, kpi_instant(l.message_at)
    FROM unnest(l_partition, l_offset, l_reason, l_detail, l_payload, l_key, l_message_at)
      AS l(partition, message_offset, reason, detail, payload, key, message_at);
  END IF;
END $$;
