import { expect, it } from 'vitest'
import type { PipelineSnapshot, WorkerState } from '../../../../src/observe/snapshot.ts'
import { healthy, judge, nowMs, severitiesOf, without, withSource, worker } from '../scene.ts'

const withWorkers = (...workers: WorkerState[]) => withSource(healthy(), 'postgres', 'workers', { workers })
const feed = worker('feed-1', { kind: 'feed' })

const pepe = { symbol: 'PEPE/USDT', messages: 3, field: 'close', text: '0.000000123789', decimals: 12 }
const losing = (...losses: (typeof pepe)[]) => withWorkers(worker('consumer-1', { precisionLost: losses }), feed)

it.each<[string, PipelineSnapshot, string[]]>([
  ['of one symbol', losing(pepe), ['warning']],
  ['of several', losing(pepe, { ...pepe, symbol: 'SHIB/USDT' }), ['warning', 'warning']],
  [
    'of one symbol, by two workers',
    withWorkers(worker('consumer-1', { precisionLost: [pepe] }), worker('consumer-2', { precisionLost: [pepe] }), feed),
    ['warning'],
  ],
  [
    'of more symbols than anybody reads',
    losing(...Array.from({ length: 30 }, (_, i) => ({ ...pepe, symbol: `S${i}` }))),
    Array.from({ length: 20 }, () => 'warning'),
  ],
  [
    'by a worker that has ended',
    withWorkers(worker('consumer-1'), feed, worker('old', { stoppedAtMs: nowMs, precisionLost: [pepe] })),
    [],
  ],
  ['not known', without(healthy(), 'postgres', 'workers'), ['unknown']],
])('%s', (_what, snapshot, expected) => {
  expect(severitiesOf(judge(snapshot), 'PrecisionLost')).toEqual(expected)
})

it('precision is lost: says of which symbol, by which number, and which setting keeps it', () => {
  const another = { ...pepe, messages: 1, text: '1e-16', decimals: 16 }
  const workers = [pepe, another].map((loss, index) => worker(`consumer-${index}`, { precisionLost: [loss] }))
  const [finding] = judge(withWorkers(...workers, feed)).findings
  expect(finding).toMatchObject({
    labels: { symbol: 'PEPE/USDT' },
    stage: 'kpi',
    summary: '4 messages of PEPE/USDT lost precision: close 1e-16 is rounded to 8 decimal places; DECIMALS=16 keeps it',
  })
  const none = { symbol: 'X', messages: 1, field: 'volume', text: '1e-30' }
  const [worst] = judge(withWorkers(worker('consumer-1', { precisionLost: [none] }), feed)).findings
  expect(worst?.summary).toMatch(
    /volume 1e-30 is rounded to 8 decimal places; it has more digits than any DECIMALS keeps$/,
  )
})
