import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'

/** What a metric means, and its value in what was measured. */
export type Measure<M> = readonly [help: string, of: (measures: M) => number]

export interface OwnMetrics<M> {
  readonly counters: Readonly<Record<string, Measure<M>>>
  readonly gauges: Readonly<Record<string, Measure<M>>>
}

/** @returns A registry whose counters and gauges are measured at each scrape, with the process's own beside them. */
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
  collectDefaultMetrics({ register })
  return register
}
