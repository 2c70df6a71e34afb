import type { Line } from '../../../src/monitor/line.ts'
import type { FiringAlert } from '../../../src/monitor/monitor-ports.ts'
import type { MonitorData } from '../../../src/monitor/refresher.ts'
import { withSample } from '../../../src/monitor/samples.ts'
import type { PipelineSnapshot } from '../../../src/observe/snapshot.ts'
import type { SymbolStatistics } from '../../../src/store/windows/symbol-statistics.ts'
import { healthy, judge, nowMs } from '../observe/scene.ts'

/** The steady clock of the tests, at the look and now. */
export const lookedAtMs = 50_000
export const clock = { wallMs: nowMs, steadyMs: lookedAtMs }

/** What the monitor knows after one look. */
export function dataOf(snapshot: PipelineSnapshot = healthy(), more: Partial<MonitorData> = {}): MonitorData {
  const observation = { snapshot, assessment: judge(snapshot) }
  return {
    observation,
    observedAtMs: lookedAtMs,
    statistics: {
      state: 'ok',
      symbols: symbolsNamed(['AAPL', 'MSFT']),
      isCapped: false,
      spanSeconds: 86_400,
      tookMs: 5,
    },
    alerts: { state: 'ok', firing: [] },
    samples: withSample([], observation, undefined),
    isPaused: false,
    intervalMs: 5000,
    ...more,
  }
}

export function withSymbols(symbols: readonly SymbolStatistics[], more: Partial<MonitorData> = {}): MonitorData {
  const statistics = { state: 'ok' as const, symbols, isCapped: false, spanSeconds: 86_400, tookMs: 5 }
  return dataOf(healthy(), { statistics, ...more })
}

export function statisticsOf(symbol: string, more: Partial<SymbolStatistics> = {}): SymbolStatistics {
  return {
    symbol,
    windows: 12,
    messages: 1200,
    avgPrice: '187.18',
    minPrice: '180.5',
    maxPrice: '190.25',
    totalVolume: '123456',
    firstOpen: '185',
    latestClose: '187.18',
    lastEventAtMs: nowMs - 1000,
    updatedAtMs: nowMs - 500,
    ...more,
  }
}

export function symbolsNamed(names: readonly string[]): SymbolStatistics[] {
  return names.map((name) => statisticsOf(name))
}

export function alert(rule: string, more: Partial<FiringAlert> = {}): FiringAlert {
  const nothing = { labels: {}, silencedUntilMs: null }
  return { rule, severity: 'warning', summary: `${rule} summary`, firedAtMs: nowMs - 60_000, ...nothing, ...more }
}

export function textOf(line: Line): string {
  return line.map(({ text }) => text).join('')
}
