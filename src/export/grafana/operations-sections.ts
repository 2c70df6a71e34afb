import type { PanelLimits } from './colours.ts'
import { ofJob, prom } from './data-sources.ts'
import type { Section } from './layout.ts'
import { graph } from './panels.ts'

/** The largest value of a metric among the evaluators, by the given labels. */
function largest(metric: string, ...labels: string[]): string {
  return `max by (${labels.join(', ')}) (market_kpi_${metric}${ofJob})`
}

const lookedAt = `scalar(max(market_kpi_observation_timestamp_seconds${ofJob}))`

/** All sections below the overview. */
export function sections(limits: PanelLimits): Section[] {
  return [
    lagSection(),
    workerSection(limits),
    kafkaSection(limits),
    postgresSection(limits),
    evaluatorSection(),
    processSection(),
  ]
}

function lagSection(): Section {
  const oldest = `${lookedAt} - ${largest('partition_oldest_unread_timestamp_seconds', 'partition')}`
  const rate = (what: string) => `sum(rate(market_kpi_worker_messages_${what}_total${ofJob}[$__rate_interval]))`
  return {
    title: 'Lag',
    panels: [
      graph({
        title: 'Lag by partition',
        about: 'Messages in the log and not yet in the rows; of these, messages that wait for an open transaction.',
        width: 12,
        queries: [
          prom(largest('partition_lag_messages', 'partition'), 'partition {{partition}}'),
          prom(
            `${largest('partition_lag_messages', 'partition')} - ${largest('partition_readable_lag_messages', 'partition')} > 0`,
            'partition {{partition}}, behind a transaction',
          ),
        ],
      }),
      graph({
        title: 'Oldest message that waits',
        about: 'How long the oldest message that is not in the rows has been there; 0 where none waits.',
        width: 12,
        unit: 's',
        queries: [
          prom(
            `clamp_min(${oldest}, 0) or 0 * ${largest('partition_lag_messages', 'partition')}`,
            'partition {{partition}}',
          ),
        ],
      }),
      graph({
        title: 'Messages a second',
        about: 'What came into the topic, and what workers merged and rejected.',
        width: 12,
        unit: 'cps',
        queries: [
          prom(`sum(deriv(market_kpi_partition_log_end_offset${ofJob}[$__rate_interval]))`, 'came in'),
          prom(rate('merged'), 'merged'),
          prom(rate('rejected'), 'rejected'),
        ],
      }),
      graph({
        title: 'Partitions by state',
        about:
          'stall: messages wait and the position does not move. stop: no worker reads it. warn: the lag grows. blocked: the rest waits for an open transaction.',
        width: 12,
        queries: [prom(largest('partitions', 'status'), '{{status}}')],
      }),
    ],
  }
}

function workerSection(limits: PanelLimits): Section {
  return {
    title: 'Workers',
    panels: [
      graph({
        title: 'Who is there',
        about: 'Workers and feeds that reported recently, and those that ended without a clean shutdown.',
        width: 6,
        queries: [
          prom(largest('workers', 'kind'), '{{kind}}'),
          prom(largest('workers_missing', 'kind'), '{{kind}} missing'),
        ],
      }),
      graph({
        title: 'Connection pool',
        about:
          'The share of the time in which a query waited for a database connection; and, in pools with more than one, the share in use, for which the limits hold while a query waits.',
        width: 6,
        unit: 'percentunit',
        max: 1,
        limits: limits.poolRatio,
        queries: [prom(largest('pool_wait_ratio'), 'waiting'), prom(largest('pool_used_ratio'), 'in use')],
      }),
      graph({
        title: 'Longest wait for a connection',
        about: 'How long a query waited for a database connection at the longest, over five seconds.',
        width: 6,
        unit: 's',
        queries: [prom(largest('pool_wait_longest_seconds'), 'longest')],
      }),
      graph({
        title: 'Rows a commit',
        about: 'Rows (symbol and window) that one commit writes, on average; and those that wait.',
        width: 6,
        queries: [
          prom(
            `sum(increase(market_kpi_worker_rows_total${ofJob}[5m])) / clamp_min(sum(increase(market_kpi_worker_batches_total${ofJob}[5m])), 1)`,
            'written',
          ),
          prom(`sum(market_kpi_worker_pending_rows${ofJob})`, 'pending'),
        ],
      }),
    ],
  }
}

function kafkaSection(limits: PanelLimits): Section {
  const volume = ['broker', 'directory'] as const
  const used = `1 - ${largest('kafka_volume_usable_bytes', ...volume)} / ${largest('kafka_volume_size_bytes', ...volume)}`
  return {
    title: 'Kafka and the feed',
    panels: [
      graph({
        title: 'Disk',
        about: "Used of each volume with a log of Kafka's.",
        width: 8,
        unit: 'percentunit',
        max: 1,
        limits: limits.diskRatio,
        queries: [prom(used, 'broker {{broker}} {{directory}}')],
      }),
      graph({
        title: 'Log of the topic',
        about: 'Bytes of the topic on all brokers.',
        width: 8,
        unit: 'bytes',
        queries: [prom(`sum(${largest('topic_bytes', ...volume)})`, 'topic')],
      }),
      graph({
        title: 'Silence',
        about: 'Since something new last came into the topic.',
        width: 8,
        unit: 's',
        limits: limits.feedSilence,
        queries: [prom(`clamp_min(${lookedAt} - ${largest('newest_record_timestamp_seconds')}, 0)`, 'silence')],
      }),
      graph({
        title: 'Brokers',
        about: 'Brokers of the cluster, and partitions that lack a leader or a replica.',
        width: 12,
        queries: [
          prom(largest('kafka_brokers'), 'brokers'),
          prom(largest('partitions_without_leader'), 'partitions without a leader'),
          prom(largest('partitions_under_replicated'), 'partitions with replicas behind'),
        ],
      }),
      graph({
        title: 'Latency',
        about: 'Of one request to a broker, and of one query.',
        width: 12,
        unit: 's',
        queries: [
          prom(largest('kafka_latency_seconds'), 'Kafka'),
          prom(largest('postgres_latency_seconds'), 'PostgreSQL'),
        ],
      }),
    ],
  }
}

function postgresSection(limits: PanelLimits): Section {
  return {
    title: 'PostgreSQL and the rows',
    panels: [
      graph({
        title: 'Connections',
        about: 'In use of those that the server allows.',
        width: 8,
        queries: [
          prom(largest('postgres_connections'), 'in use'),
          prom(largest('postgres_connections_max'), 'allowed'),
        ],
      }),
      graph({
        title: 'Table',
        about: 'Bytes of kpi_market_prices and its indexes.',
        width: 8,
        unit: 'bytes',
        queries: [prom(largest('table_bytes'), 'table'), prom(largest('index_bytes'), 'indexes')],
      }),
      graph({
        title: 'Updates without index work',
        about: 'The share of HOT updates: near 1 as long as fillfactor and autovacuum suit the load.',
        width: 8,
        unit: 'percentunit',
        max: 1,
        queries: [prom(largest('hot_update_ratio'), 'HOT')],
      }),
      graph({
        title: 'Rejected by reason',
        about: 'Messages rejected within the last minutes.',
        width: 12,
        limits: limits.deadLetters,
        queries: [prom(largest('dead_letters_recent', 'reason'), '{{reason}}')],
      }),
      graph({
        title: 'Symbols with the oldest prices',
        about: 'The ten that have waited longest for a price.',
        width: 12,
        unit: 's',
        limits: limits.freshness,
        queries: [
          prom(`topk(10, ${lookedAt} - ${largest('symbol_newest_price_timestamp_seconds', 'symbol')})`, '{{symbol}}'),
        ],
      }),
    ],
  }
}

function evaluatorSection(): Section {
  return {
    title: 'The alert evaluator',
    panels: [
      graph({
        title: 'One check of the pipeline',
        about: 'How long it took, and how long ago it was.',
        width: 12,
        unit: 's',
        queries: [
          prom(largest('observation_duration_seconds'), 'took'),
          prom(`time() - max(market_kpi_observation_timestamp_seconds${ofJob})`, 'age'),
        ],
      }),
      graph({
        title: 'Alerts and notifications',
        about: 'Firing now, and notifications that receivers took or did not take.',
        width: 12,
        queries: [
          prom(largest('alerts_firing_critical'), 'critical'),
          prom(largest('alerts_firing_warning'), 'warning'),
          prom(`sum(increase(market_kpi_alerts_notifications_delivered_total${ofJob}[5m]))`, 'delivered'),
          prom(`sum(increase(market_kpi_alerts_notifications_failed_total${ofJob}[5m]))`, 'failed'),
        ],
      }),
    ],
  }
}

function processSection(): Section {
  return {
    title: 'Processes',
    panels: [
      graph({
        title: 'Processor',
        about: 'Cores in use by each process of market-kpi.',
        width: 12,
        queries: [prom(`rate(process_cpu_seconds_total${ofJob}[$__rate_interval])`, '{{instance}}')],
      }),
      graph({
        title: 'Memory',
        about: 'Of each process of market-kpi.',
        width: 12,
        unit: 'bytes',
        queries: [prom(`process_resident_memory_bytes${ofJob}`, '{{instance}}')],
      }),
    ],
  }
}
