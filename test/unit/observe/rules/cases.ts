// What the tables of several rules share.
import { describe, expect, it } from 'vitest'
import type { RuleName } from '../../../../src/observe/finding.ts'
import type { PipelineSnapshot, WorkerState } from '../../../../src/observe/snapshot.ts'
import { healthy, judge, nowMs, severitiesOf, withSource, worker } from '../scene.ts'

export type Case = readonly [what: string, observations: PipelineSnapshot | PipelineSnapshot[], expected: string[]]
export function table(rule: RuleName, cases: readonly Case[]): void {
  describe(rule, () => {
    it.each(cases)('%s', (_what, observations, expected) => {
      expect(severitiesOf(judge(observations), rule)).toEqual(expected)
    })
  })
}

export const ok = healthy()
export const withWorkers = (...workers: WorkerState[]) => withSource(ok, 'postgres', 'workers', { workers })
export const feed = worker('feed-1', { kind: 'feed' })
export const consumer = worker('consumer-1')
export function silent(seconds: number, ...workers: WorkerState[]): PipelineSnapshot {
  const { log } = ok.kafka
  const partitions = log.state === 'ok' ? log.partitions : []
  return withSource(withWorkers(consumer, ...workers), 'kafka', 'log', {
    partitions: partitions.map((p) => ({ ...p, newestRecordAtMs: nowMs - seconds * 1000 })),
  })
}

export const stopped = worker('feed-1', {
  kind: 'feed',
  workerState: 'stopped',
  stoppedAtMs: nowMs - 60_000,
  seenAgoSeconds: 60,
})

/** Of a file of 2024, all of which is read. */
export const replaying = (more: Partial<WorkerState> = {}) =>
  worker('feed-1', { kind: 'feed', replay: { eventAtMs: Date.UTC(2024, 1, 14, 15, 30), isPaced: true }, ...more })

export const member = (partitions: number[]) => ({ clientId: 'w', host: 'h', partitions })
export const group = (more: object) => withSource(ok, 'kafka', 'group', more)
