import { beforeEach, describe, expect, it } from 'vitest'
import { samplesOf } from '../../../src/export/metrics/pipeline-samples.ts'
import { maxSymbolSeries } from '../../../src/export/metrics/postgres-samples.ts'
import { alertMetrics } from '../../../src/metrics/alert-metrics.ts'
import { pipelineMetrics, renderPipeline, type Sample } from '../../../src/metrics/pipeline-metrics.ts'
import { workerMetrics } from '../../../src/metrics/worker-metrics.ts'
import { ruleNames } from '../../../src/observe/finding.ts'
import type { PipelineSnapshot } from '../../../src/observe/snapshot.ts'
import { dead, healthy, judge, lagging, nowMs, thresholds, without, withSource, worker } from '../observe/scene.ts'
import { needPromtool, promtool } from './promtool.ts'

function samples(snapshot: PipelineSnapshot, limits = thresholds()): Sample[] {
  return samplesOf({ snapshot, assessment: judge(snapshot, limits) }, limits)
}

/** The one value of a metric with these labels. */
function seriesValue(all: readonly Sample[], metric: string, labels: Record<string, string> = {}): number | undefined {
  const found = all.filter(
    (s) => s.metric === metric && Object.entries(labels).every(([name, value]) => s.labels[name] === value),
  )
  expect(found.length).toBeLessThanOrEqual(1)
  return found[0]?.value
}

function up(all: readonly Sample[]): string[] {
  return all.filter((s) => s.metric === 'market_kpi_up' && s.value === 1).map((s) => s.labels.component ?? '')
}

describe('a pipeline that works', () => {
  const all = samples(healthy())

  it('is up in all its parts, and no rule finds anything', () => {
    expect(up(all)).toEqual(['kafka', 'topic', 'postgres', 'schema', 'consumer', 'feed'])
    const findings = all.filter(({ metric }) => metric === 'market_kpi_finding')
    expect(findings.length).toBe(3 * ruleNames.length)
    expect(findings.filter(({ value }) => value !== 0)).toEqual([])
  })

  it('has each metric, but for what there is nothing of', () => {
    const there = new Set(all.map(({ metric }) => metric))
    const absent = Object.keys(pipelineMetrics).filter((name) => !there.has(name as never))
    expect(absent).toEqual([
      'market_kpi_partition_transaction_open_since_timestamp_seconds',
      'market_kpi_partition_oldest_unread_timestamp_seconds',
      'market_kpi_precision_lost_messages',
      'market_kpi_replay_timestamp_seconds',
      'market_kpi_replay_behind_seconds',
    ])
  })

  it('has the labels that are documented, and no series twice', () => {
    for (const { metric, labels } of all) expect(Object.keys(labels)).toEqual([...pipelineMetrics[metric].labels])
    const keys = all.map(({ metric, labels }) => JSON.stringify([metric, labels]))
    expect(new Set(keys).size).toBe(keys.length)
  })

  it('tells times as seconds since 1970', () => {
    expect(seriesValue(all, 'market_kpi_observation_timestamp_seconds')).toBe(nowMs / 1000)
    expect(seriesValue(all, 'market_kpi_newest_price_timestamp_seconds')).toBe(nowMs / 1000 - 1)
    expect(seriesValue(all, 'market_kpi_worker_seen_timestamp_seconds', { worker: 'feed-1' })).toBe(nowMs / 1000 - 2)
  })
})

describe('what is not known', () => {
  it('has no series at all, and is not up', () => {
    const all = samples(dead(dead(healthy(), 'kafka'), 'postgres'))
    expect(up(all)).toEqual([])
    const there = [...new Set(all.map(({ metric }) => metric))]
    expect(there).toEqual([
      'market_kpi_up',
      'market_kpi_pipeline_info',
      'market_kpi_observation_timestamp_seconds',
      'market_kpi_observation_duration_seconds',
      'market_kpi_finding',
      'market_kpi_rule_unknown',
      'market_kpi_market_open',
      'market_kpi_market_open_since_timestamp_seconds',
    ])
    expect(all.filter(({ value }) => !Number.isFinite(value))).toEqual([])
  })

  it('is told by the rules that cannot be judged', () => {
    const all = samples(without(healthy(), 'postgres', 'deadLetters'))
    expect(seriesValue(all, 'market_kpi_rule_unknown', { rule: 'DeadLettersGrowing' })).toBe(1)
    expect(seriesValue(all, 'market_kpi_rule_unknown', { rule: 'KafkaDiskHigh' })).toBe(0)
    expect(seriesValue(all, 'market_kpi_dead_letters_recent', { reason: 'empty' })).toBeUndefined()
  })
})

it('a lag is told for each partition, with the time of the oldest message, and in sum', () => {
  const all = samples(lagging(healthy(), 700, 12))
  expect(seriesValue(all, 'market_kpi_lag_messages')).toBe(2100)
  expect(seriesValue(all, 'market_kpi_partition_lag_messages', { partition: '1' })).toBe(700)
  const oldest = seriesValue(all, 'market_kpi_partition_oldest_unread_timestamp_seconds', { partition: '1' })
  expect(oldest).toBe(nowMs / 1000 - 12)
  expect(seriesValue(all, 'market_kpi_finding', { rule: 'ConsumerLagHigh', severity: 'warning' })).toBe(1)
})

it('a symptom is no finding: what explains it is', () => {
  const all = samples(dead(healthy(), 'kafka'))
  const found = all.filter(({ metric, value }) => metric === 'market_kpi_finding' && value === 1)
  expect(found.map(({ labels }) => labels)).toEqual([{ rule: 'KafkaUnreachable', severity: 'critical' }])
})

it('a thousand symbols make series for two hundred, and say how many they leave out', () => {
  const symbols = Array.from({ length: 1000 }, (_, index) => ({
    symbol: `SYM${String(index).padStart(4, '0')}`,
    newestEventAtMs: nowMs - 1000,
    windowStartMs: nowMs - 60_000,
    close: '1',
  }))
  const all = samples(withSource(healthy(), 'postgres', 'symbols', { symbols }))
  const series = all.filter(({ metric }) => metric === 'market_kpi_symbol_newest_price_timestamp_seconds')
  expect(series.map(({ labels }) => labels.symbol)).toEqual(symbols.slice(0, maxSymbolSeries).map((s) => s.symbol))
  expect(seriesValue(all, 'market_kpi_symbols_left_out')).toBe(800)
})

it('a thousand restarts of a worker make series for the hundred seen last', () => {
  const workers = Array.from({ length: 1000 }, (_, index) => worker(`w${index}`, { seenAgoSeconds: index }))
  const all = samples(withSource(healthy(), 'postgres', 'workers', { workers }))
  const series = all.filter(({ metric }) => metric === 'market_kpi_worker_seen_timestamp_seconds')
  expect(series.map(({ labels }) => labels.worker)).toEqual(workers.slice(0, 100).map((w) => w.workerId))
})

it('outside trading hours a market has no time since which it is open', () => {
  const limits = thresholds({ tradingHours: 'AAPL=America/New_York Mon-Fri 09:30-16:00' })
  const all = samples(healthy(), limits)
  const since = 'market_kpi_symbol_market_open_since_timestamp_seconds'
  expect(seriesValue(all, since, { symbol: 'AAPL' })).toBeUndefined()
  expect(seriesValue(all, since, { symbol: 'MSFT' })).toBe(0)
})

describe('promtool finds nothing to complain of', () => {
  beforeEach(needPromtool)

  it.each([
    ['of the pipeline', () => renderPipeline(samples(lagging(healthy(), 700, 12)))],
    ['of the evaluator', alertMetrics(() => evaluator)],
    ['of a worker', workerMetrics(() => measures)],
  ])('in the metrics %s', async (_, render) => {
    const ours = (await render()).split('\n').filter((line) => line.includes('market_kpi_'))
    expect(ours.length).toBeGreaterThan(10)
    expect(promtool(['check', 'metrics'], {}, `${ours.join('\n')}\n`)).toEqual({ ok: true, said: '' })
  })
})

const evaluator = {
  evaluations: 3,
  delivered: 1,
  undeliverable: 0,
  leads: true,
  hasDatabase: true,
  lastEvaluationAtMs: nowMs,
  firing: { info: 0, warning: 1, critical: 0 },
}

const measures = {
  merged: 1,
  rejected: 0,
  batches: 1,
  rows: 1,
  unreadOffsets: 0,
  pendingRows: 0,
  precisionLost: 3,
  floodWaits: 0,
  positionsMovedBack: 0,
  partitions: 3,
  stranded: 0,
  isBackedUp: false,
  isReady: true,
  pool: { open: 1, inUse: 0, waiting: 0, waitedSeconds: 0.2 },
}
