import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'

/** The help text of a metric, and how to get its value from the measurements. */
export type Measure<M> = readonly [help: string, of: (measures: M) => number]

export interface OwnMetrics<M> {
  readonly counters: Readonly<Record<string, Measure<M>>>
  readonly gauges: Readonly<Record<string, Measure<M>>>
}

/**
 * @returns A registry whose counters and gauges are measured at each scrape, together with the metrics of the process.
 */
export function ownMetrics<M>({ counters, gauges }: OwnMetrics<M>, measure: () => M): Registry {
  const register = new Registry()
  const registers = [register]
  for (const [name, [help, of]] of Object.entries(counters)) {
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(of(measure()))
      },
    })
  }
  for (const [name, [help, of]] of Object.entries(gauges)) {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(of(measure()))
      },
    })
  }
  collectOfProcess(register)
  return register
}

/** One hour: so rarely that it has no effect. */
const neverMs = 3_600_000

/**
 * Registers the library's default metrics except those of the event loop's delay, since sampling them wakes the process
 * a hundred times per second.
 */
function collectOfProcess(register: Registry): void {
  collectDefaultMetrics({ register, eventLoopMonitoringPrecision: neverMs })
  for (const figure of ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99']) {
    register.removeSingleMetric(`nodejs_eventloop_lag_${figure}_seconds`)
  }
}
