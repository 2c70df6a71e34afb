import { Gauge } from 'prom-client'
import { type Measure, ownMetrics } from './own-metrics.ts'

/** The values of a feed's metrics. */
export interface FeedMeasures {
  readonly messages: number
  readonly bytes: number
  readonly batches: number
  readonly retries: number
  readonly rejected: number
  readonly waiting: number
  /** Wall clock; null before the first message. */
  readonly lastMessageAtMs: number | null
  readonly isKafkaAway: boolean
  readonly isAtEnd: boolean
  readonly isReady: boolean
}

/** Name and meaning of each metric; docs/metrics.md lists them. */
export const feedCounters = {
  market_kpi_feed_messages_sent_total: ['Messages that the brokers have acknowledged.', (m) => m.messages],
  market_kpi_feed_bytes_sent_total: ['Bytes of these messages, as compressed for the brokers.', (m) => m.bytes],
  market_kpi_feed_batches_sent_total: ['Batches of these messages.', (m) => m.batches],
  market_kpi_feed_retries_total: ['How often a batch had to be sent again.', (m) => m.retries],
  market_kpi_feed_rejected_total: ['Lines of the source that were rejected and not sent.', (m) => m.rejected],
} as const satisfies Record<string, Measure<FeedMeasures>>

export const feedGauges = {
  market_kpi_feed_ready: ['1 while the feed works, 0 while it cannot.', (m) => Number(m.isReady)],
  market_kpi_feed_kafka_up: [
    '1 while the brokers accept messages, 0 while they are unavailable or do not answer.',
    (m) => Number(!m.isKafkaAway),
  ],
  market_kpi_feed_at_end: ['1 if the source is at its end and everything has been sent.', (m) => Number(m.isAtEnd)],
  market_kpi_feed_messages_waiting: ['Messages taken from the source and not yet acknowledged.', (m) => m.waiting],
  market_kpi_feed_last_message_timestamp_seconds: [
    'When the brokers last acknowledged a message, 0 before the first one.',
    (m) => (m.lastMessageAtMs ?? 0) / 1000,
  ],
} as const satisfies Record<string, Measure<FeedMeasures>>

/** The only metric with a label. The source of a feed does not change while it runs. */
export const feedInfo = {
  name: 'market_kpi_feed_info',
  help: 'Always 1: the kind of source, without its file.',
  labelNames: ['source'],
} as const

/** @returns A function that renders the current metrics of the feed and of its process. */
export function feedMetrics(sourceKind: string, measure: () => FeedMeasures): () => Promise<string> {
  const register = ownMetrics({ counters: feedCounters, gauges: feedGauges }, measure)
  new Gauge({ ...feedInfo, registers: [register] }).set({ source: sourceKind }, 1)
  return () => register.metrics()
}
