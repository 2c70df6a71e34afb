// What feeds and prunes tell Prometheus.
import { beforeEach, describe, expect, it } from 'vitest'
import { type FeedMeasures, feedMetrics } from '../../../src/metrics/feed-metrics.ts'
import { type PruneMeasures, pruneMetrics } from '../../../src/metrics/prune-metrics.ts'
import { needPromtool, promtool } from '../export/promtool.ts'

const feed: FeedMeasures = {
  messages: 1200,
  bytes: 157_000,
  batches: 12,
  retries: 3,
  rejected: 2,
  waiting: 40,
  lastMessageAtMs: 1_771_079_400_250,
  isKafkaAway: true,
  isAtEnd: false,
  isReady: false,
}

const prune: PruneMeasures = {
  rows: 6000,
  letters: 20,
  rounds: 5,
  failures: 1,
  lastSuccessAtMs: 1_771_079_400_250,
  isReady: true,
}

/** Its own series, without those of the process. */
async function seriesOf(exposition: Promise<string>): Promise<string[]> {
  const lines = (await exposition).split('\n')
  return lines.filter((line) => line.startsWith('market_kpi_'))
}

it('of a feed: what it sent, and whether the brokers take it', async () => {
  expect(await seriesOf(feedMetrics('replay', () => feed)())).toEqual([
    'market_kpi_feed_messages_sent_total 1200',
    'market_kpi_feed_bytes_sent_total 157000',
    'market_kpi_feed_batches_sent_total 12',
    'market_kpi_feed_retries_total 3',
    'market_kpi_feed_rejected_total 2',
    'market_kpi_feed_ready 0',
    'market_kpi_feed_kafka_up 0',
    'market_kpi_feed_at_end 0',
    'market_kpi_feed_messages_waiting 40',
    'market_kpi_feed_last_message_timestamp_seconds 1771079400.25',
    'market_kpi_feed_info{source="replay"} 1',
  ])
})

it('of a prune: what has gone, and when it last worked', async () => {
  expect(await seriesOf(pruneMetrics(() => prune)())).toEqual([
    'market_kpi_prune_rows_deleted_total 6000',
    'market_kpi_prune_letters_deleted_total 20',
    'market_kpi_prune_rounds_total 5',
    'market_kpi_prune_failures_total 1',
    'market_kpi_prune_ready 1',
    'market_kpi_prune_last_success_timestamp_seconds 1771079400.25',
  ])
})

it('before the first message or round there is no time, and each scrape measures anew', async () => {
  let measures: FeedMeasures = { ...feed, lastMessageAtMs: null, isKafkaAway: false, isReady: true }
  const render = feedMetrics('simulate', () => measures)
  expect(await seriesOf(render())).toContain('market_kpi_feed_last_message_timestamp_seconds 0')
  measures = { ...measures, messages: 1300 }
  const later = await seriesOf(render())
  expect(later).toContain('market_kpi_feed_messages_sent_total 1300')
  expect(later).toContain('market_kpi_feed_kafka_up 1')
  const never = pruneMetrics(() => ({ ...prune, lastSuccessAtMs: null, isReady: false }))
  expect(await seriesOf(never())).toContain('market_kpi_prune_last_success_timestamp_seconds 0')
})

describe('promtool finds nothing to complain of', () => {
  beforeEach(needPromtool)

  it.each([
    ['of a feed', feedMetrics('simulate', () => feed)],
    ['of a prune', pruneMetrics(() => prune)],
  ])('in the metrics %s', async (_, render) => {
    const ours = (await render()).split('\n').filter((line) => line.includes('market_kpi_'))
    expect(ours.length).toBeGreaterThan(10)
    expect(promtool(['check', 'metrics'], {}, `${ours.join('\n')}\n`)).toEqual({ ok: true, said: '' })
  })
})
