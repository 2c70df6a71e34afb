// The refresher on sources that answer, fail and hang; time passes when a test says so.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { KpiError } from '../../../src/errors.ts'
import type { MonitorPorts } from '../../../src/monitor/monitor-ports.ts'
import { Refresher } from '../../../src/monitor/refresher.ts'
import { healthy, judge, nowMs, withSource } from '../observe/scene.ts'
import { symbolsNamed } from './scene.ts'

const intervalMs = 5000
let steadyMs = 0
let refresher: Refresher

beforeEach(() => {
  vi.useFakeTimers()
  steadyMs = 0
})

afterEach(async () => {
  await refresher.stop()
  vi.useRealTimers()
})

function made(more: Partial<MonitorPorts> = {}) {
  const asked = { observe: 0, statistics: 0, alerts: 0 }
  const ports: MonitorPorts = {
    observe: async () => {
      asked.observe += 1
      const at = healthy(nowMs + steadyMs)
      const snapshot = withSource(at, 'postgres', 'positions', { merged: 1000 * asked.observe })
      return { snapshot, assessment: judge(snapshot) }
    },
    statistics: async () => {
      asked.statistics += 1
      return { symbols: symbolsNamed(['AAPL']), isCapped: false, spanSeconds: 86_400, tookMs: 1 }
    },
    alerts: {
      firing: async () => {
        asked.alerts += 1
        return []
      },
      silence: async () => undefined,
    },
    ...more,
  }
  refresher = new Refresher(ports, { intervalMs, steadyMs: () => steadyMs })
  return asked
}

async function pass(ms: number): Promise<void> {
  steadyMs += ms
  await vi.advanceTimersByTimeAsync(ms)
}

it('looks at once, and again every interval', async () => {
  const asked = made()
  refresher.start()
  await pass(0)
  expect(asked).toEqual({ observe: 1, statistics: 1, alerts: 1 })
  await pass(intervalMs - 1)
  expect(asked.observe).toBe(1)
  await pass(1)
  expect(asked.observe).toBe(2)
  expect(refresher.data.samples.map(({ ratePerSecond }) => ratePerSecond)).toEqual([null, 200])
})

it('does not look while it is paused, unless asked to; and at once when it goes on', async () => {
  const asked = made()
  refresher.start()
  await pass(0)
  refresher.setPaused(true)
  await pass(10 * intervalMs)
  expect(asked.observe).toBe(1)
  refresher.refresh()
  await pass(10 * intervalMs)
  expect(asked.observe).toBe(2)
  refresher.setPaused(false)
  await pass(0)
  expect(asked.observe).toBe(3)
})

it('has one look under way at a time, however slow it is and however often it is asked', async () => {
  let isAnswered = (): void => undefined
  let observations = 0
  made({
    observe: () => {
      observations += 1
      const snapshot = healthy()
      return new Promise((resolve) => {
        isAnswered = () => resolve({ snapshot, assessment: judge(snapshot) })
      })
    },
  })
  refresher.start()
  await pass(60_000)
  refresher.refresh()
  refresher.refresh()
  expect(observations).toBe(1)
  expect(refresher.data.observation).toBeNull()
  isAnswered()
  await pass(0)
  expect(refresher.data.observation).not.toBeNull()
  await pass(1)
  expect(observations).toBe(2)
  isAnswered()
})

it('leaves a database alone that needs long for its sums: for nineteen times as long', async () => {
  let asked = 0
  made({
    statistics: async () => {
      asked += 1
      steadyMs += 1000
      return { symbols: [], isCapped: false, spanSeconds: 86_400, tookMs: 1000 }
    },
  })
  refresher.start()
  await pass(0)
  for (let look = 0; look < 3; look += 1) await pass(intervalMs)
  expect(asked).toBe(1)
  await pass(intervalMs)
  expect(asked).toBe(2)
})

it('keeps the reason of what fails, and goes on with the rest', async () => {
  made({
    statistics: () => Promise.reject(new KpiError('KPI_POSTGRES_UNREACHABLE', 'it is gone')),
    alerts: {
      firing: () => Promise.reject(new KpiError('KPI_SCHEMA_MISSING', 'there is no table')),
      silence: async () => undefined,
    },
  })
  refresher.start()
  await pass(0)
  expect(refresher.data.statistics).toEqual({ state: 'unknown', reason: 'it is gone' })
  expect(refresher.data.alerts).toEqual({ state: 'unknown', reason: 'there is no table' })
  expect(refresher.data.observation?.assessment.verdict).toBe('ok')
})

it('keeps so many samples, the newest', async () => {
  made()
  refresher.start()
  for (let look = 0; look < 300; look += 1) await pass(intervalMs)
  expect(refresher.data.samples).toHaveLength(240)
  expect(refresher.data.samples.every(({ ratePerSecond }) => ratePerSecond === 200)).toBe(true)
})

it('asks for nothing once it was stopped', async () => {
  const asked = made()
  refresher.start()
  await pass(0)
  await refresher.stop()
  await refresher.stop()
  refresher.refresh()
  refresher.setPaused(false)
  await pass(10 * intervalMs)
  expect(asked.observe).toBe(1)
})
