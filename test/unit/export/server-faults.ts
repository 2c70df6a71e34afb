// Faults of the servers and their clocks, for the recorded scenarios.
import type { PipelineSnapshot } from '../../../src/observe/snapshot.ts'
import { withSource, worker } from '../observe/scene.ts'

export function pool(snapshot: PipelineSnapshot, inUse: number): PipelineSnapshot {
  const full = { size: 100, inUse, waiting: 3, acquireMs: 900, waitedPercent: 0 }
  return withSource(snapshot, 'postgres', 'workers', {
    workers: [worker('consumer-1', { pool: full }), worker('feed-1', { kind: 'feed' })],
  })
}

export function waitedFor(snapshot: PipelineSnapshot, waitedPercent: number): PipelineSnapshot {
  const one = { size: 1, inUse: 1, waiting: 1, acquireMs: 900, waitedPercent }
  return withSource(snapshot, 'postgres', 'workers', {
    workers: [worker('consumer-1', { pool: one }), worker('feed-1', { kind: 'feed' })],
  })
}

export function full(snapshot: PipelineSnapshot, usedPercent: number): PipelineSnapshot {
  const volume = { nodeId: 1, directory: '/data', topicBytes: 1e6, totalBytes: 1e12 }
  const usableBytes = 1e12 * (1 - usedPercent / 100)
  return withSource(snapshot, 'kafka', 'disk', { volumes: [{ ...volume, usableBytes }] })
}

export function skewed(snapshot: PipelineSnapshot, seconds: number): PipelineSnapshot {
  return withSource(snapshot, 'postgres', 'server', { clockAheadMs: -seconds * 1000 })
}
