import { Gauge } from 'prom-client'
import { type Measure, ownMetrics } from './own-metrics.ts'

/** What a feed counts, as Prometheus gets it. */
export interface FeedMeasures {
  readonly messages: number
  readonly bytes: number
  readonly batches: number
  readonly retries: number
  readonly rejected: number
  readonly waiting: number
  /** Wall clock; null before the first. */
  readonly lastMessageAtMs: number | null
  readonly isKafkaAway: boolean
  readonly isAtEnd: boolean
  readonly isReady: boolean
}

/** Name and meaning of each metric; docs/metrics.md lists them. */
export const feedCounters = {
  market_kpi_feed_messages_sent_total: ['Messages that the brokers have acknowledged.', (m) => m.messages],
  market_kpi_feed_bytes_sent_total: ['Bytes of these, as they were packed for the brokers.', (m) => m.bytes],
  market_kpi_feed_batches_sent_total: ['Batches of these.', (m) => m.batches],
  market_kpi_feed_retries_total: ['Times that batches had to be sent again.', (m) => m.retries],
  market_kpi_feed_rejected_total: ['Lines of the source that no message could be made of.', (m) => m.rejected],
} as const satisfies Record<string, Measure<FeedMeasures>>

export const feedGauges = {
  market_kpi_feed_ready: ['1 while the feed does its work, 0 while it cannot.', (m) => Number(m.isReady)],
  market_kpi_feed_kafka_up: [
    '1 while the brokers take messages, 0 while they are away or silent.',
    (m) => Number(!m.isKafkaAway),
  ],
  market_kpi_feed_at_end: [
    '1 when the source is at its end, and there is nothing left to send.',
    (m) => Number(m.isAtEnd),
  ],
  market_kpi_feed_messages_waiting: ['Messages taken from the source and not acknowledged.', (m) => m.waiting],
  market_kpi_feed_last_message_timestamp_seconds: [
    'When the brokers last acknowledged a message, 0 before the first.',
    (m) => (m.lastMessageAtMs ?? 0) / 1000,
  ],
} as const satisfies Record<string, Measure<FeedMeasures>>

/** The one series with a label: what a source is does not change while the feed runs. */
export const feedInfo = {
  name: 'market_kpi_feed_info',
  help: 'Always 1: the kind of source, without its file.',
  labelNames: ['source'],
} as const

/** @returns The exposition of the feed's own metrics and of its process, at each call. */
export function feedMetrics(sourceKind: string, measure: () => FeedMeasures): () => Promise<string> {
  const register = ownMetrics({ counters: feedCounters, gauges: feedGauges }, measure)
  new Gauge({ ...feedInfo, registers: [register] }).set({ source: sourceKind }, 1)
  return () => register.metrics()
}
