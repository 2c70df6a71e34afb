import { expect, it } from 'vitest'
import { healthJson, healthPerfdata, healthText } from '../../../src/observe/health-report.ts'
import type { PipelineSnapshot } from '../../../src/observe/snapshot.ts'
import { dead, healthy, judge, lagging, thresholds, without, withSource, worker } from './scene.ts'

const plain = { paint: (_colour: string, text: string) => text, isQuiet: false }
const observed = (snapshot: PipelineSnapshot) => ({ snapshot, assessment: judge(snapshot) })
const text = (snapshot: PipelineSnapshot, isQuiet = false) =>
  healthText(observed(snapshot), thresholds(), { ...plain, isQuiet })

it('a pipeline that works', () => {
  expect(text(healthy())).toBe(`Kafka connectivity: OK
Kafka topic 'market-prices': OK - 3 partitions
PostgreSQL connectivity: OK
KPI table: OK - 150 rows
Consumer lag: OK - 0 messages
Kafka disk: OK - 10 % used
Connection pool: OK - queries waited 0 % of the time, 1 ms at the longest; 50 % in use
Throughput: OK - 10 messages/s
Error rate: OK - 0 % rejected
KPI freshness: OK - newest price 1 s old
Decimal places: OK - 8 kept
Feed activity: OK - newest message 1 s old

ALL SYSTEMS OPERATIONAL ✓
`)
  expect(text(healthy(), true)).toBe('')
})

it('what is off its target is said to be, and is well', () => {
  const slow = withSource(lagging(healthy(), 200), 'postgres', 'kpi', {
    newestEventAtMs: healthy().takenAtMs - 400_000,
  })
  expect(text(slow)).toContain(
    'Consumer lag: OK - 600 messages (target: below 100); whether it grows is known after 5 min of observation\n',
  )
  expect(text(slow)).toContain('KPI freshness: OK - newest price 6 min old (target: below 5 min)\n')
  expect(text(slow)).toContain('ALL SYSTEMS OPERATIONAL')
})

it('a full pool of connections is well while nobody waits', () => {
  const withPool = (pool: { size: number; inUse: number; waiting: number; waitedPercent: number }) =>
    withSource(healthy(), 'postgres', 'workers', {
      workers: [worker('consumer-1', { pool: { ...pool, acquireMs: 1234 } })],
    })
  expect(text(withPool({ size: 4, inUse: 4, waiting: 0, waitedPercent: 0.5 }))).toContain(
    'Connection pool: OK - queries waited 0.5 % of the time, 1.2 s at the longest; 100 % in use\n',
  )
  expect(text(withPool({ size: 4, inUse: 4, waiting: 1, waitedPercent: 10 }))).toContain(
    "Connection pool: WARNING - 100 % of a worker's database connections are in use, and queries wait for one\n",
  )
})

it('of a pool of one connection the waiting is shown and judged', () => {
  const withOne = (waitedPercent: number) =>
    withSource(healthy(), 'postgres', 'workers', {
      workers: [worker('consumer-1', { pool: { size: 1, inUse: 1, waiting: 1, acquireMs: 40, waitedPercent } })],
    })
  expect(text(withOne(3))).toContain('Connection pool: OK - queries waited 3 % of the time, 40 ms at the longest\n')
  expect(text(withOne(80))).toContain(
    'Connection pool: WARNING - queries wait for a database connection 80 % of the time, for 40 ms at the longest\n',
  )
})

it('a table too large to be counted is said to be estimated', () => {
  const large = withSource(healthy(), 'postgres', 'kpi', { rows: 12_345_678, isEstimate: true })
  expect(text(large)).toContain('KPI table: OK - about 12,345,678 rows\n')
})

it('a warning, with the stage', () => {
  const lines = text(lagging(healthy(), 500)).split('\n')
  expect(lines).toContain('Consumer lag: WARNING - 1,500 messages wait, the oldest for 1 s')
  expect(lines.at(-2)).toBe('DEGRADED: Consumer - 1,500 messages wait, the oldest for 1 s')
})

it('only what is not well, when asked to be quiet', () => {
  expect(text(lagging(healthy(), 500), true)).toBe(`Consumer lag: WARNING - 1,500 messages wait, the oldest for 1 s

DEGRADED: Consumer - 1,500 messages wait, the oldest for 1 s
`)
})

it('what nobody tells is unknown, and no fault', () => {
  const alone = withSource(healthy(), 'postgres', 'workers', { workers: [] })
  expect(text(alone)).toContain('Connection pool: UNKNOWN - no worker reports its connections\n')
  expect(text(alone)).toContain('ALL SYSTEMS OPERATIONAL')
})

it('a database too slow to tell of its rows', () => {
  const slow = without(healthy(), 'postgres', 'kpi')
  expect(text(slow)).toContain('KPI freshness: WARNING - unknown: not seen\n')
  expect(text(slow)).toContain('DEGRADED: not all is known: KPI - not seen\n')
  expect(healthJson(observed(slow), thresholds())).toMatchObject({ status: 'warn' })
})

it('as JSON, what is unknown is null and never 0', () => {
  const { checks, ...rest } = healthJson(observed(dead(healthy(), 'postgres')), thresholds())
  expect(rest).toMatchObject({
    status: 'fail',
    firstBrokenStage: 'postgres',
    output: 'SYSTEM FAILURE: PostgreSQL - not seen',
  })
  expect(checks).toMatchObject({
    'kafka:connectivity': [{ status: 'pass', observedValue: 1, observedUnit: 'ms', time: '2026-02-14T14:30:00.000Z' }],
    'postgres:connectivity': [{ status: 'fail', observedValue: null, output: 'not seen' }],
    'consumer:lag': [{ status: 'fail', observedValue: null, output: 'unknown, since PostgreSQL cannot be reached' }],
  })
})

it('as Nagios reads it', () => {
  expect(healthPerfdata(observed(healthy()), thresholds())).toBe(
    'MARKET-KPI OK - ALL SYSTEMS OPERATIONAL ✓ | consumer_lag=0;1000;;0 throughput=10;;;0 kpi_freshness=1s;600;900;0 ' +
      'feed_silence=1s;300;900;0 error_rate=0%;1;5;0;100 connection_wait=0%;70;90;0;100 connection_wait_longest=1ms;;;0 connection_pool=50%;70;90;0;100 kafka_disk=10%;75;90;0;100\n',
  )
  expect(healthPerfdata(observed(dead(healthy(), 'postgres')), thresholds())).toMatch(
    /^MARKET-KPI CRITICAL - SYSTEM FAILURE: PostgreSQL - not seen \| consumer_lag=U /,
  )
})
