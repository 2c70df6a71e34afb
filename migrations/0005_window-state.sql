-- A row is closed when every partition that brought messages of it is past it: those of its first and of its last message,
-- which are one as long as all producers send a symbol to one partition. A third one in between is not seen: that takes
-- producers that do not key by symbol. A partition is past a row by its watermark, or by its silence at the end of the
-- log; silence closes only what is over by the clock too, since a feed may send what is ahead of it.
-- LIMIT tells the planner what it cannot know of tables that are never analysed: that they hold one row.
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
    WHEN (kpi_instant(f.watermark_us) > t.final_at OR (f.idle_since < t.silent_since AND t.final_at < now()))
      AND (kpi_instant(l.watermark_us) > t.final_at OR (l.idle_since < t.silent_since AND t.final_at < now()))
      THEN 'closed'
    ELSE 'forming'
  END AS window_state
FROM kpi_market_prices k
CROSS JOIN (SELECT * FROM kpi_definition LIMIT 1) d
CROSS JOIN (SELECT * FROM kpi_pruned LIMIT 1) p
LEFT JOIN kpi_consumer_offsets f
  ON f.consumer_group = d.consumer_group AND f.topic = d.topic AND f.partition = k.first_partition
LEFT JOIN kpi_consumer_offsets l
  ON l.consumer_group = d.consumer_group AND l.topic = d.topic AND l.partition = k.last_partition
CROSS JOIN LATERAL (
  SELECT
    k.window_end + make_interval(secs => d.allowed_lateness_seconds) AS final_at,
    now() - make_interval(secs => d.window_seconds + d.allowed_lateness_seconds) AS silent_since
) t;
