-- Rows that are deleted by age, and rows that a rebuild under another definition had to leave alone.

-- One row. Σ trade_count = Σ merged + Σ retried - message_count, always.
CREATE TABLE kpi_pruned (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  starts_before timestamptz NOT NULL DEFAULT kpi_instant(0),
  row_count bigint NOT NULL DEFAULT 0,
  message_count bigint NOT NULL DEFAULT 0,
  updated_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO kpi_pruned DEFAULT VALUES;

CREATE TABLE kpi_earlier_rows (
  starts_before timestamptz NOT NULL,
  left_at timestamptz NOT NULL,
  window_seconds integer NOT NULL,
  PRIMARY KEY (left_at)
);

-- The definition belongs to the owner; this alone may the pipeline's role do to it. A new id ends workers of the old one.
CREATE FUNCTION kpi_replace_definition(
  p_id bigint, p_group text, p_window_seconds integer, p_lateness integer, p_max_future integer
) RETURNS bigint LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE kpi_definition SET
    id = DEFAULT, consumer_group = p_group, window_seconds = p_window_seconds, allowed_lateness_seconds = p_lateness,
    max_future_seconds = p_max_future, created_at = now()
  WHERE id = p_id RETURNING id
$$;
REVOKE EXECUTE ON FUNCTION kpi_replace_definition FROM PUBLIC;

-- Incomplete are now also rows of windows that were pruned: what is there came later. And rows of an earlier definition
-- that changed after it was replaced: what came for them may stand in two rows.
CREATE OR REPLACE VIEW kpi_windows AS
SELECT
  k.*,
  CASE
    WHEN EXISTS (
      SELECT FROM kpi_gaps g
      WHERE g.consumer_group = d.consumer_group AND g.topic = d.topic
        AND g.partition IN (k.first_partition, k.last_partition)
        AND k.window_start <= g.to_event_at AND k.window_end > g.from_event_at
    ) THEN 'incomplete'
    WHEN k.window_start < p.starts_before THEN 'incomplete'
    WHEN EXISTS (
      SELECT FROM kpi_earlier_rows e WHERE k.window_start < e.starts_before AND k.updated_at > e.left_at
    ) THEN 'incomplete'
    WHEN o.watermark_us > (extract(epoch FROM k.window_end) + d.allowed_lateness_seconds) * 1000000 THEN 'closed'
    WHEN o.idle_since < now() - make_interval(secs => d.window_seconds + d.allowed_lateness_seconds) THEN 'closed'
    ELSE 'forming'
  END AS window_state
FROM kpi_market_prices k
CROSS JOIN kpi_definition d
CROSS JOIN kpi_pruned p
LEFT JOIN kpi_consumer_offsets o
  ON o.consumer_group = d.consumer_group AND o.topic = d.topic AND o.partition = k.last_partition;
