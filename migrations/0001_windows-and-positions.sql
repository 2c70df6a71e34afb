-- Rows, positions, rejected messages, workers. The meaning of each table and column is in docs/tables.md.

-- What this database holds. One row: another cluster, topic, group or window length may never be merged into it.
CREATE TABLE kpi_definition (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  only_one boolean NOT NULL DEFAULT true UNIQUE CHECK (only_one),
  cluster_id text NOT NULL,
  topic text NOT NULL,
  topic_id uuid NOT NULL,
  consumer_group text NOT NULL,
  window_seconds integer NOT NULL CHECK (window_seconds > 0),
  allowed_lateness_seconds integer NOT NULL,
  max_future_seconds integer NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- fillfactor leaves room on each page, so that a merge stays on its page (HOT) and touches no index.
-- No column that a merge changes may ever be indexed.
CREATE TABLE kpi_market_prices (
  symbol text COLLATE "C" NOT NULL,
  window_start timestamptz NOT NULL,
  window_end timestamptz NOT NULL,
  trade_count bigint NOT NULL CHECK (trade_count > 0),
  sum_close numeric NOT NULL,
  sum_close_sq numeric NOT NULL,
  sum_close_volume numeric NOT NULL,
  total_volume numeric NOT NULL,
  min_close numeric NOT NULL,
  max_close numeric NOT NULL,
  open_price numeric NOT NULL,
  high_price numeric NOT NULL,
  low_price numeric NOT NULL,
  close_price numeric NOT NULL,
  first_event_at timestamptz NOT NULL,
  first_partition integer NOT NULL,
  first_offset bigint NOT NULL,
  last_event_at timestamptz NOT NULL,
  last_partition integer NOT NULL,
  last_offset bigint NOT NULL,
  late_count bigint NOT NULL,
  avg_close numeric GENERATED ALWAYS AS (sum_close / trade_count) STORED,
  vwap numeric GENERATED ALWAYS AS (sum_close_volume / nullif(total_volume, 0)) STORED,
  price_volatility numeric GENERATED ALWAYS AS (max_close - min_close) STORED,
  -- n·Σc² − (Σc)² is exact and never negative; Σc²/n − (Σc/n)² rounds, and can be.
  close_stddev numeric GENERATED ALWAYS AS (sqrt(trade_count * sum_close_sq - sum_close * sum_close) / trade_count) STORED,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (symbol, window_start)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.1);

CREATE INDEX kpi_market_prices_window_start ON kpi_market_prices (window_start);

-- The pipeline's true position: next_offset moves in the same transaction as the rows.
-- next_offset - first_offset = merged + rejected + without_message + lost, always.
CREATE TABLE kpi_consumer_offsets (
  consumer_group text NOT NULL,
  topic text NOT NULL,
  partition integer NOT NULL,
  first_offset bigint NOT NULL,
  next_offset bigint NOT NULL,
  watermark_us bigint NOT NULL DEFAULT -1,
  merged bigint NOT NULL DEFAULT 0,
  rejected bigint NOT NULL DEFAULT 0,
  without_message bigint NOT NULL DEFAULT 0,
  lost bigint NOT NULL DEFAULT 0,
  retried bigint NOT NULL DEFAULT 0,
  idle_since timestamptz,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (consumer_group, topic, partition),
  CHECK (next_offset - first_offset = merged + rejected + without_message + lost)
) WITH (fillfactor = 20, autovacuum_vacuum_threshold = 1000);

CREATE TABLE kpi_gaps (
  consumer_group text NOT NULL,
  topic text NOT NULL,
  partition integer NOT NULL,
  from_offset bigint NOT NULL,
  to_offset bigint NOT NULL CHECK (to_offset > from_offset),
  from_event_at timestamptz NOT NULL,
  to_event_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (consumer_group, topic, partition, from_offset)
);

CREATE TABLE dead_letters (
  topic text NOT NULL,
  partition integer NOT NULL,
  message_offset bigint NOT NULL,
  reason text NOT NULL,
  detail text,
  payload bytea,
  key bytea,
  message_timestamp timestamptz,
  received_at timestamptz NOT NULL DEFAULT now(),
  retried_at timestamptz,
  retried_payload bytea,
  PRIMARY KEY (topic, partition, message_offset)
);

CREATE INDEX dead_letters_received_at ON dead_letters (received_at);

CREATE TABLE worker_status (
  worker_id text PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('consumer', 'feed')),
  host text NOT NULL,
  pid integer NOT NULL,
  started_at timestamptz NOT NULL,
  last_seen_at timestamptz NOT NULL,
  stopped_at timestamptz,
  state text NOT NULL,
  messages_processed bigint NOT NULL,
  batches_written bigint NOT NULL,
  errors bigint NOT NULL,
  elapsed_seconds double precision NOT NULL,
  throughput_msg_per_sec double precision NOT NULL,
  pool_size integer,
  pool_in_use integer,
  pool_waiting integer,
  pool_acquire_ms double precision,
  partitions integer[],
  http text,
  detail jsonb NOT NULL DEFAULT '{}'
) WITH (fillfactor = 50);

-- Rows and letters of a topic that was deleted and created anew, kept apart under the old topic's id.
CREATE TABLE kpi_archived_prices (
  topic_id uuid NOT NULL,
  archived_at timestamptz NOT NULL DEFAULT now(),
  row_data jsonb NOT NULL
);
CREATE INDEX kpi_archived_prices_topic_id ON kpi_archived_prices (topic_id);

CREATE TABLE kpi_archived_letters (
  topic_id uuid NOT NULL,
  archived_at timestamptz NOT NULL DEFAULT now(),
  letter jsonb NOT NULL
);
CREATE INDEX kpi_archived_letters_topic_id ON kpi_archived_letters (topic_id);

-- A row is
--   incomplete  when a recorded gap of its partition may have held messages of its window,
--   forming     while its partition's watermark has not passed its end plus the lateness allowed, unless the worker
--               stands at the end of the log and nothing has come for a window and the lateness,
--   closed      otherwise.
CREATE VIEW kpi_windows AS
SELECT
  k.*,
  CASE
    WHEN EXISTS (
      SELECT FROM kpi_gaps g
      WHERE g.consumer_group = d.consumer_group AND g.topic = d.topic
        AND g.partition IN (k.first_partition, k.last_partition)
        AND k.window_start <= g.to_event_at AND k.window_end > g.from_event_at
    ) THEN 'incomplete'
    WHEN o.watermark_us > (extract(epoch FROM k.window_end) + d.allowed_lateness_seconds) * 1000000 THEN 'closed'
    WHEN o.idle_since < now() - make_interval(secs => d.window_seconds + d.allowed_lateness_seconds) THEN 'closed'
    ELSE 'forming'
  END AS window_state
FROM kpi_market_prices k
CROSS JOIN kpi_definition d
LEFT JOIN kpi_consumer_offsets o
  ON o.consumer_group = d.consumer_group AND o.topic = d.topic AND o.partition = k.last_partition;
