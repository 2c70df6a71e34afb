-- The writes of the pipeline. All lock in one order: offset rows by partition, then window rows by their key.
-- Instants travel as microseconds since 1970, which JavaScript and PostgreSQL both hold exactly.

CREATE FUNCTION kpi_instant(microseconds bigint) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN timestamptz '1970-01-01 00:00:00+00' + microseconds * interval '1 microsecond';

-- Positions of partitions that have none yet, where their log begins. The definition is held meanwhile: a position
-- that belongs to a topic of before may not come to stand among those of its successor. As the owner, since a lock takes
-- the right to update.
CREATE FUNCTION kpi_open_positions(
  p_definition bigint, p_group text, p_topic text, p_partition integer[], p_earliest bigint[]
) RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM FROM kpi_definition d
    WHERE d.id = p_definition AND d.consumer_group = p_group AND d.topic = p_topic FOR SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the definition has changed' USING ERRCODE = 'KP002';
  END IF;
  INSERT INTO kpi_consumer_offsets (consumer_group, topic, partition, first_offset, next_offset)
  SELECT p_group, p_topic, p.partition, p.earliest, p.earliest
  FROM unnest(p_partition, p_earliest) AS p(partition, earliest)
  ORDER BY p.partition ON CONFLICT DO NOTHING;
END $$;
REVOKE EXECUTE ON FUNCTION kpi_open_positions FROM PUBLIC;

-- Merges partials into their windows; one partial per (symbol, window) a call.
CREATE FUNCTION kpi_merge(
  p_window_seconds integer,
  p_symbol text[], p_window_start bigint[], p_n bigint[],
  p_sum_close numeric[], p_sum_close_sq numeric[], p_sum_close_volume numeric[], p_sum_volume numeric[],
  p_min_close numeric[], p_max_close numeric[], p_high numeric[], p_low numeric[],
  p_first_at bigint[], p_first_partition integer[], p_first_offset bigint[], p_open numeric[],
  p_last_at bigint[], p_last_partition integer[], p_last_offset bigint[], p_close numeric[],
  p_late bigint[]
) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  INSERT INTO kpi_market_prices AS k (
    symbol, window_start, window_end, trade_count, sum_close, sum_close_sq, sum_close_volume, total_volume,
    min_close, max_close, high_price, low_price,
    first_event_at, first_partition, first_offset, open_price,
    last_event_at, last_partition, last_offset, close_price, late_count
  )
  SELECT
    p.symbol, kpi_instant(p.window_start), kpi_instant(p.window_start + p_window_seconds * 1000000::bigint),
    p.n, p.sum_close, p.sum_close_sq, p.sum_close_volume, p.sum_volume, p.min_close, p.max_close, p.high, p.low,
    kpi_instant(p.first_at), p.first_partition, p.first_offset, p.open,
    kpi_instant(p.last_at), p.last_partition, p.last_offset, p.close, p.late
  FROM unnest(
    p_symbol, p_window_start, p_n, p_sum_close, p_sum_close_sq, p_sum_close_volume, p_sum_volume,
    p_min_close, p_max_close, p_high, p_low, p_first_at, p_first_partition, p_first_offset, p_open,
    p_last_at, p_last_partition, p_last_offset, p_close, p_late
  ) AS p(
    symbol, window_start, n, sum_close, sum_close_sq, sum_close_volume, sum_volume,
    min_close, max_close, high, low, first_at, first_partition, first_offset, open,
    last_at, last_partition, last_offset, close, late
  )
  ORDER BY p.symbol COLLATE "C", p.window_start
  ON CONFLICT (symbol, window_start) DO UPDATE SET
    trade_count = k.trade_count + excluded.trade_count,
    sum_close = k.sum_close + excluded.sum_close,
    sum_close_sq = k.sum_close_sq + excluded.sum_close_sq,
    sum_close_volume = k.sum_close_volume + excluded.sum_close_volume,
    total_volume = k.total_volume + excluded.total_volume,
    min_close = least(k.min_close, excluded.min_close),
    max_close = greatest(k.max_close, excluded.max_close),
    high_price = greatest(k.high_price, excluded.high_price),
    low_price = least(k.low_price, excluded.low_price),
    open_price = CASE WHEN (excluded.first_event_at, excluded.first_partition, excluded.first_offset) < (k.first_event_at, k.first_partition, k.first_offset)
      THEN excluded.open_price ELSE k.open_price END,
    first_partition = CASE WHEN (excluded.first_event_at, excluded.first_partition, excluded.first_offset) < (k.first_event_at, k.first_partition, k.first_offset)
      THEN excluded.first_partition ELSE k.first_partition END,
    first_offset = CASE WHEN (excluded.first_event_at, excluded.first_partition, excluded.first_offset) < (k.first_event_at, k.first_partition, k.first_offset)
      THEN excluded.first_offset ELSE k.first_offset END,
    first_event_at = least(k.first_event_at, excluded.first_event_at),
    close_price = CASE WHEN (excluded.last_event_at, excluded.last_partition, excluded.last_offset) > (k.last_event_at, k.last_partition, k.last_offset)
      THEN excluded.close_price ELSE k.close_price END,
    last_partition = CASE WHEN (excluded.last_event_at, excluded.last_partition, excluded.last_offset) > (k.last_event_at, k.last_partition, k.last_offset)
      THEN excluded.last_partition ELSE k.last_partition END,
    last_offset = CASE WHEN (excluded.last_event_at, excluded.last_partition, excluded.last_offset) > (k.last_event_at, k.last_partition, k.last_offset)
      THEN excluded.last_offset ELSE k.last_offset END,
    last_event_at = greatest(k.last_event_at, excluded.last_event_at),
    late_count = k.late_count + excluded.late_count,
    updated_at = now();
END $$;

-- One batch, exactly once. Raises KP001 when a partition's position is not where the batch began (somebody else has
-- committed, or the row is gone), KP002 when the database now holds another definition; nothing is kept then.
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
  l_message_at bigint[]
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
    watermark_us = greatest(o.watermark_us, a.watermark_us),
    merged = o.merged + a.merged,
    rejected = o.rejected + a.rejected,
    without_message = o.without_message + a.without_message,
    idle_since = NULL,
    updated_at = now()
  FROM unnest(p_partition, p_next, p_watermark, p_merged, p_rejected, p_without)
    AS a(partition, next_offset, watermark_us, merged, rejected, without_message)
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
