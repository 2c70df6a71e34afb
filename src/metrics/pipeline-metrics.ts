import { Counter, Gauge, Registry } from 'prom-client'

/** Type, labels and help text of a metric; docs/metrics.md lists all metrics. */
export interface MetricMeaning {
  readonly type: 'counter' | 'gauge'
  readonly labels: readonly string[]
  readonly help: string
}

function gauge(help: string, ...labels: string[]): MetricMeaning {
  return { type: 'gauge', labels, help }
}

function counter(help: string): MetricMeaning {
  return { type: 'counter', labels: [], help }
}

/**
 * The metrics of one observation of the pipeline. An unknown value has no series, since a 0 would look like a measured
 * value; `market_kpi_up` and `market_kpi_rule_unknown` report that it is unknown.
 */
export const pipelineMetrics = {
  market_kpi_up: gauge('1 while this component works; 0 while it does not, or cannot be checked.', 'component'),
  market_kpi_pipeline_info: gauge('Always 1; the labels identify the pipeline.', 'topic', 'group'),
  market_kpi_observation_timestamp_seconds: gauge('Time of the observation; compute ages relative to it.'),
  market_kpi_observation_duration_seconds: gauge('Duration of the observation.'),
  market_kpi_finding: gauge(
    '1 while the rule has a finding of this severity that no other finding explains.',
    'rule',
    'severity',
  ),
  market_kpi_rule_unknown: gauge('1 while the rule cannot be judged, completely or in part.', 'rule'),

  market_kpi_kafka_brokers: gauge('Brokers of the cluster.'),
  market_kpi_kafka_latency_seconds: gauge('Duration of one request to a broker.'),
  market_kpi_kafka_volume_size_bytes: gauge('Size of the volume with a log directory.', 'broker', 'directory'),
  market_kpi_kafka_volume_usable_bytes: gauge('Free space on that volume.', 'broker', 'directory'),
  market_kpi_topic_bytes: gauge("Size of the topic's log in a log directory.", 'broker', 'directory'),
  market_kpi_topic_partitions: gauge('Partitions of the topic.'),
  market_kpi_partitions_without_leader: gauge('Partitions that can be neither written nor read.'),
  market_kpi_partitions_under_replicated: gauge('Partitions with fewer in-sync replicas than configured.'),
  market_kpi_log_append_time: gauge("1 if record timestamps are the broker's time, 0 if they are the producer's."),
  market_kpi_newest_record_timestamp_seconds: gauge('Timestamp of the newest record in the topic.'),

  market_kpi_lag_messages: gauge('Messages that are in the log and not yet in the rows, of all partitions.'),
  market_kpi_readable_lag_messages: gauge('The part of the lag that does not wait for an open transaction.'),
  market_kpi_partition_lag_messages: gauge('Messages that are in the log and not yet in the rows.', 'partition'),
  market_kpi_partition_readable_lag_messages: gauge(
    'The part of the lag that does not wait for an open transaction.',
    'partition',
  ),
  market_kpi_partition_transaction_open_since_timestamp_seconds: gauge(
    'Start of the open transaction that messages wait for; no series without one.',
    'partition',
  ),
  market_kpi_partition_oldest_unread_timestamp_seconds: gauge(
    'Arrival time of the oldest message that is not in the rows; no series without one.',
    'partition',
  ),
  market_kpi_partition_log_start_offset: gauge('First offset of the log.', 'partition'),
  market_kpi_partition_log_end_offset: gauge(
    'Offset after the last message, including open transactions.',
    'partition',
  ),
  market_kpi_partition_next_offset: gauge(
    'Position of the pipeline: the first offset that is not in the rows.',
    'partition',
  ),
  market_kpi_partition_moved_timestamp_seconds: gauge(
    "When the position last moved, by the database's clock.",
    'partition',
  ),
  market_kpi_partitions: gauge('Partitions by consumption status.', 'status'),
  market_kpi_partitions_stranded: gauge('Out-of-range partitions, which a worker has stopped reading.'),

  market_kpi_messages_merged_total: counter('Messages merged into rows since the database was created.'),
  market_kpi_messages_rejected_total: counter('Messages rejected to dead_letters since the database was created.'),
  market_kpi_throughput_messages_per_second: gauge(
    'Messages processed per second (merged and rejected), over the last 20 seconds.',
  ),
  market_kpi_error_ratio: gauge('Share of rejected messages within ERROR_RATE_SECONDS.'),
  market_kpi_dead_letters_recent: gauge('Messages rejected within ERROR_RATE_SECONDS.', 'reason'),
  market_kpi_precision_lost_messages: gauge(
    'Messages in which rounding to DECIMALS digits changed a number by more than one ten-thousandth; until an hour after the last one, for the 20 symbols with most of them.',
    'symbol',
  ),
  market_kpi_workers: gauge('Workers and feeds that have reported recently.', 'kind'),
  market_kpi_workers_missing: gauge(
    'Workers and feeds that ended without a clean shutdown and have no successor.',
    'kind',
  ),
  market_kpi_worker_seen_timestamp_seconds: gauge(
    'Last report of each worker and feed that has not shut down cleanly; until ten minutes after the last report, for the 100 that reported last.',
    'worker',
    'kind',
  ),
  market_kpi_record_timestamps_in_wrong_unit: gauge(
    '1 while producers write record timestamps in this unit instead of milliseconds (in a topic with CreateTime).',
    'unit',
  ),
  market_kpi_feed_state: gauge(
    '1 for the current state of the feed; state none means that the producer is not part of market-kpi.',
    'state',
  ),
  market_kpi_feed_replays_recorded_times: gauge(
    '1 while all prices come from a replay with the recorded times; freshness is then judged by its clock.',
  ),
  market_kpi_feed_replays_at_full_speed: gauge('1 while such a replay runs at full speed.'),
  market_kpi_replay_timestamp_seconds: gauge('Latest event time that the replay has sent.'),
  market_kpi_replay_behind_seconds: gauge('How long the oldest message of the replay that is not in a row has waited.'),
  market_kpi_pool_wait_ratio: gauge(
    'Share of the time in which a query waited for a database connection, of the worker with the largest share.',
  ),
  market_kpi_pool_wait_longest_seconds: gauge('The longest of these waits over the last seconds.'),
  market_kpi_pool_used_ratio: gauge('Share of connections in use, of the fullest pool with more than one connection.'),
  market_kpi_pool_pressure_ratio: gauge(
    'The value that POOL_WARNING_PERCENT and POOL_CRITICAL_PERCENT limit: the share of the time spent waiting, or in a pool with several connections the share in use while a query waits.',
  ),

  market_kpi_postgres_latency_seconds: gauge('Duration of one query.'),
  market_kpi_postgres_clock_ahead_seconds: gauge("How far the database's clock is ahead of the observer's."),
  market_kpi_postgres_connections: gauge('Connections in use in all databases of the server.'),
  market_kpi_postgres_connections_max: gauge('Connections that the server allows.'),
  market_kpi_schema_missing: gauge('Number of missing migrations, tables and columns.'),
  market_kpi_schema_differences: gauge(
    'Number of migrations of a newer version, and of settings that differ from the definition of the database.',
  ),
  market_kpi_table_rows: gauge('Rows of kpi_market_prices; an estimate above one million.'),
  market_kpi_table_bytes: gauge('Size of kpi_market_prices without indexes.'),
  market_kpi_index_bytes: gauge('Size of the indexes of kpi_market_prices.'),
  market_kpi_hot_update_ratio: gauge('Share of the updates of kpi_market_prices that changed no index (HOT).'),

  market_kpi_market_open: gauge('1 within TRADING_HOURS of any symbol.'),
  market_kpi_market_open_since_timestamp_seconds: gauge(
    'Since when a market is open; 0 if it never closes. No series while closed.',
  ),
  market_kpi_newest_price_timestamp_seconds: gauge('Event time of the newest price in the rows.'),
  market_kpi_symbols: gauge('Symbols with rows; 1000 means 1000 or more.'),
  market_kpi_symbols_left_out: gauge('Symbols without their own series, because only the first 200 by name have them.'),
  market_kpi_symbol_newest_price_timestamp_seconds: gauge('Event time of the newest price of a symbol.', 'symbol'),
  market_kpi_symbol_market_open_since_timestamp_seconds: gauge(
    'Since when the market of the symbol is open; 0 if it never closes. No series while closed.',
    'symbol',
  ),
} as const satisfies Record<`market_kpi_${string}`, MetricMeaning>

export type PipelineMetric = keyof typeof pipelineMetrics

export interface Sample {
  readonly metric: PipelineMetric
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Renders the samples in Prometheus' text format. */
export function renderPipeline(samples: readonly Sample[]): Promise<string> {
  const register = new Registry()
  const byMetric = Map.groupBy(samples, ({ metric }) => metric)
  for (const [name, of] of byMetric) {
    const { type, help, labels }: MetricMeaning = pipelineMetrics[name]
    const options = { name, help, labelNames: [...labels], registers: [register] }
    if (type === 'counter') {
      const metric = new Counter(options)
      for (const sample of of) metric.inc({ ...sample.labels }, sample.value)
    } else {
      const metric = new Gauge(options)
      for (const sample of of) metric.set({ ...sample.labels }, sample.value)
    }
  }
  return register.metrics()
}
