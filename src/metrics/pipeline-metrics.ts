import { Counter, Gauge, Registry } from 'prom-client'

/** What a metric is; docs/metrics.md lists them. */
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
 * What one look at the pipeline comes to, for Prometheus. What is not known has no series, rather than a 0 that looks
 * like knowledge: `market_kpi_up` and `market_kpi_rule_unknown` tell that it is missing.
 */
export const pipelineMetrics = {
  market_kpi_up: gauge(
    '1 while this part is seen to do its work; 0 while it does not, or cannot be seen.',
    'component',
  ),
  market_kpi_pipeline_info: gauge('Always 1: which pipeline this is.', 'topic', 'group'),
  market_kpi_observation_timestamp_seconds: gauge(
    'When the pipeline was looked at. Ages are to be reckoned from here.',
  ),
  market_kpi_observation_duration_seconds: gauge('How long that look took.'),
  market_kpi_finding: gauge(
    '1 while a rule finds something of this severity that no other finding explains.',
    'rule',
    'severity',
  ),
  market_kpi_rule_unknown: gauge('1 while a rule cannot be judged, or not for all it looks at.', 'rule'),

  market_kpi_kafka_brokers: gauge('Brokers of the cluster.'),
  market_kpi_kafka_latency_seconds: gauge('Of one request to a broker.'),
  market_kpi_kafka_volume_size_bytes: gauge('Size of the volume with a log directory.', 'broker', 'directory'),
  market_kpi_kafka_volume_usable_bytes: gauge('Free of that volume.', 'broker', 'directory'),
  market_kpi_topic_bytes: gauge("The topic's log in a log directory.", 'broker', 'directory'),
  market_kpi_topic_partitions: gauge('Partitions of the topic.'),
  market_kpi_partitions_without_leader: gauge('Partitions that can be neither written nor read.'),
  market_kpi_partitions_under_replicated: gauge('Partitions with fewer replicas in sync than they should have.'),
  market_kpi_log_append_time: gauge("1 where records carry the broker's time, 0 where they carry the producer's."),
  market_kpi_newest_record_timestamp_seconds: gauge('When something new last came into the topic.'),

  market_kpi_lag_messages: gauge('Messages in the log and not in the rows, of all partitions.'),
  market_kpi_readable_lag_messages: gauge('Of these, messages that do not wait for an open transaction.'),
  market_kpi_partition_lag_messages: gauge('Messages in the log and not in the rows.', 'partition'),
  market_kpi_partition_readable_lag_messages: gauge(
    'Of these, messages that do not wait for an open transaction.',
    'partition',
  ),
  market_kpi_partition_transaction_open_since_timestamp_seconds: gauge(
    'When the open transaction began that messages wait for; no series without one.',
    'partition',
  ),
  market_kpi_partition_oldest_unread_timestamp_seconds: gauge(
    'When the oldest message that is not in the rows came; no series without one.',
    'partition',
  ),
  market_kpi_partition_log_start_offset: gauge('First offset of the log.', 'partition'),
  market_kpi_partition_log_end_offset: gauge(
    'Offset after the last message, those of open transactions included.',
    'partition',
  ),
  market_kpi_partition_next_offset: gauge("The pipeline's position: first offset not in the rows.", 'partition'),
  market_kpi_partition_moved_timestamp_seconds: gauge(
    "When the position moved last, by the database's clock.",
    'partition',
  ),
  market_kpi_partitions: gauge('Partitions by how they are consumed.', 'status'),
  market_kpi_partitions_stranded: gauge('Partitions that a worker gave up, as its position is not in the log.'),

  market_kpi_messages_merged_total: counter('Messages merged into rows since the beginning.'),
  market_kpi_messages_rejected_total: counter('Messages rejected to dead_letters since the beginning.'),
  market_kpi_throughput_messages_per_second: gauge('Messages merged and rejected, over the last 20 seconds.'),
  market_kpi_error_ratio: gauge('Rejected of all messages, over ERROR_RATE_SECONDS.'),
  market_kpi_dead_letters_recent: gauge('Messages rejected within ERROR_RATE_SECONDS.', 'reason'),
  market_kpi_precision_lost_messages: gauge(
    'Messages of which rounding to DECIMALS digits changed a number by more than one ten-thousandth, for an hour after the last one; of the 20 symbols with most of them.',
    'symbol',
  ),
  market_kpi_workers: gauge('Workers and feeds that have been heard of lately.', 'kind'),
  market_kpi_workers_missing: gauge(
    'Those that ended without stopping in order, and nothing took their place.',
    'kind',
  ),
  market_kpi_worker_seen_timestamp_seconds: gauge(
    'When one that did not stop in order was heard of last; for ten minutes after, and of the 100 seen last.',
    'worker',
    'kind',
  ),
  market_kpi_record_timestamps_in_wrong_unit: gauge(
    '1 while producers write record timestamps in this unit instead of milliseconds, in a topic of CreateTime.',
    'unit',
  ),
  market_kpi_feed_state: gauge('1 for what the feed is doing; none: the producer is not ours.', 'state'),
  market_kpi_feed_replays_recorded_times: gauge(
    '1 while all prices come from a replay that keeps their recorded times; freshness is then judged by its clock.',
  ),
  market_kpi_feed_replays_at_full_speed: gauge('1 while such a replay goes as fast as it can.'),
  market_kpi_replay_timestamp_seconds: gauge('The latest time of a price that the replay has sent.'),
  market_kpi_replay_behind_seconds: gauge('How long the oldest message of the replay that is in no row has waited.'),
  market_kpi_pool_wait_ratio: gauge(
    'The share of the time in which a query waited for a database connection, of the worker that waits most.',
  ),
  market_kpi_pool_wait_longest_seconds: gauge('The longest of these waits over the last seconds.'),
  market_kpi_pool_used_ratio: gauge('Connections in use, of the fullest pool of a worker with more than one.'),
  market_kpi_pool_pressure_ratio: gauge(
    'What the limits of the pool are for: the share of waiting, or in a pool with more than one connection the share in use while a query waits.',
  ),

  market_kpi_postgres_latency_seconds: gauge('Of one query.'),
  market_kpi_postgres_clock_ahead_seconds: gauge("How far the database's clock is ahead of the observer's."),
  market_kpi_postgres_connections: gauge('Connections in use, of all databases of the server.'),
  market_kpi_postgres_connections_max: gauge('Connections that the server allows.'),
  market_kpi_schema_missing: gauge('Migrations, tables and columns that are not there.'),
  market_kpi_schema_differences: gauge(
    'Migrations of a newer version, and settings that the database holds otherwise.',
  ),
  market_kpi_table_rows: gauge('Rows of kpi_market_prices; above a million an estimate.'),
  market_kpi_table_bytes: gauge('kpi_market_prices without its indexes.'),
  market_kpi_index_bytes: gauge('Indexes of kpi_market_prices.'),
  market_kpi_hot_update_ratio: gauge('Updates of kpi_market_prices that touched no index, of all.'),

  market_kpi_market_open: gauge('1 within TRADING_HOURS of any symbol.'),
  market_kpi_market_open_since_timestamp_seconds: gauge(
    'Since when; 0 where a market never closes. None while closed.',
  ),
  market_kpi_newest_price_timestamp_seconds: gauge('Event time of the newest price in the rows.'),
  market_kpi_symbols: gauge('Symbols with rows; 1000 stands for that many or more.'),
  market_kpi_symbols_left_out: gauge('Symbols without series of their own below, which the first 200 by name have.'),
  market_kpi_symbol_newest_price_timestamp_seconds: gauge('Event time of the newest price of a symbol.', 'symbol'),
  market_kpi_symbol_market_open_since_timestamp_seconds: gauge(
    'Since when its market is open; 0 where it never closes. None while closed.',
    'symbol',
  ),
} as const satisfies Record<`market_kpi_${string}`, MetricMeaning>

export type PipelineMetric = keyof typeof pipelineMetrics

export interface Sample {
  readonly metric: PipelineMetric
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** The samples in Prometheus' text format. */
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
