// Queries the sources periodically, and keeps their latest results.
//
//   waiting → looking → waiting → …      queries the sources once per interval, or when the user requests it
//   paused                               queries the sources only when the user requests it
//
// Only one query runs at a time, so the monitor uses at most one connection. The screen never waits for it: while a
// source hangs, the age of its latest result increases.
import { KpiError, messageOf } from '../errors.ts'
import type { Observation } from '../observe/observer.ts'
import { type Source, unknown } from '../observe/snapshot.ts'
import type { StatisticsObservation } from '../store/windows/symbol-statistics.ts'
import type { FiringAlert, MonitorPorts } from './monitor-ports.ts'
import { type Sample, withSample } from './samples.ts'

/** Everything that the monitor shows. */
export interface MonitorData {
  readonly observation: Observation | null
  /** Start of the latest observation, by a monotonic clock; before the first one, the start of the refresher. */
  readonly observedAtMs: number
  /** Null before the first query. */
  readonly statistics: Source<StatisticsObservation> | null
  readonly alerts: Source<{ readonly firing: readonly FiringAlert[] }> | null
  /** Oldest first. */
  readonly samples: readonly Sample[]
  readonly isPaused: boolean
  readonly intervalMs: number
}

export interface RefresherOptions {
  readonly intervalMs: number
  /** Milliseconds of a monotonic clock. */
  readonly steadyMs: () => number
  /** Called after every change of {@link Refresher.data}. */
  readonly onChange?: () => void
  /** Called after each refresh, when all due sources have been queried. */
  readonly onRefresh?: () => void
}

/** For each query except the observation, which has its own limit. */
const questionTimeoutMs = 9000
/**
 * Statistics sum many rows. Pausing for 19 times their duration keeps the database busy for at most 1/20 of the time.
 */
const restFactor = 19

export class Refresher {
  readonly #ports: MonitorPorts
  readonly #options: RefresherOptions
  readonly #stopping = new AbortController()
  #data: MonitorData
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #nextStatisticsMs = 0

  constructor(ports: MonitorPorts, options: RefresherOptions) {
    this.#ports = ports
    this.#options = options
    const { intervalMs } = options
    const nothing = { observation: null, statistics: null, alerts: null, samples: [] }
    this.#data = { ...nothing, observedAtMs: options.steadyMs(), isPaused: false, intervalMs }
  }

  get data(): MonitorData {
    return this.#data
  }

  start(): void {
    this.refresh()
  }

  /** Queries the sources now, unless a refresh is in progress. */
  refresh(): void {
    if (this.#stopping.signal.aborted || this.#looking) return
    clearTimeout(this.#timer)
    const startMs = this.#options.steadyMs()
    this.#looking = this.#look().finally(() => {
      this.#looking = undefined
      this.#wait(startMs)
      if (!this.#stopping.signal.aborted) this.#options.onRefresh?.()
    })
  }

  setPaused(isPaused: boolean): void {
    this.#change({ isPaused })
    clearTimeout(this.#timer)
    if (!isPaused) this.refresh()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    clearTimeout(this.#timer)
    await this.#looking
  }

  #wait(startMs: number): void {
    if (this.#data.isPaused || this.#stopping.signal.aborted) return
    const { steadyMs, intervalMs } = this.#options
    this.#timer = setTimeout(() => this.refresh(), Math.max(0, startMs + intervalMs - steadyMs()))
  }

  async #look(): Promise<void> {
    const { steadyMs } = this.#options
    const observedAtMs = steadyMs()
    const before = this.#data.observation ?? undefined
    const observation = await this.#ports.observe()
    this.#change({ observation, observedAtMs, samples: withSample(this.#data.samples, observation, before) })
    await this.#lookAtAlerts()
    if (steadyMs() >= this.#nextStatisticsMs) await this.#lookAtStatistics()
  }

  async #lookAtAlerts(): Promise<void> {
    const alerts = await this.#ask(async (signal) => ({ firing: await this.#ports.alerts.firing(signal) }))
    if (alerts) this.#change({ alerts })
  }

  async #lookAtStatistics(): Promise<void> {
    const { steadyMs } = this.#options
    const startMs = steadyMs()
    const statistics = await this.#ask((signal) => this.#ports.statistics(signal))
    const endMs = steadyMs()
    if (statistics?.state === 'ok') this.#nextStatisticsMs = endMs + (endMs - startMs) * restFactor
    if (statistics) this.#change({ statistics })
  }

  /** @returns undefined if the refresher was stopped meanwhile. */
  async #ask<T extends object>(question: (signal: AbortSignal) => Promise<T>): Promise<Source<T> | undefined> {
    const silence = AbortSignal.timeout(questionTimeoutMs)
    const signal = AbortSignal.any([silence, this.#stopping.signal])
    try {
      return { state: 'ok', ...(await question(signal)) }
    } catch (error) {
      if (this.#stopping.signal.aborted) return undefined
      if (silence.aborted) return unknown(`no answer within ${questionTimeoutMs / 1000} s`)
      if (error instanceof KpiError) return unknown(messageOf(error))
      throw error
    }
  }

  #change(values: Partial<MonitorData>): void {
    this.#data = { ...this.#data, ...values }
    if (!this.#stopping.signal.aborted) this.#options.onChange?.()
  }
}
