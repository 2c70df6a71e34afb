/** A figure of a report, measured once per run. A later report is compared by it. */
export interface Series {
  /** The same name in every report that measures the same thing. */
  readonly name: string
  readonly unit: string
  readonly better: 'higher' | 'lower'
  readonly values: readonly number[]
  /** How much two medians may differ by chance, regardless of the spread of the runs. */
  readonly noise: Noise
}

export interface Noise {
  /** Share of the earlier median. */
  readonly share: number
  /** Minimum, in the unit of the series. */
  readonly least: number
}

/** For rates of whole runs. */
export const rateNoise: Noise = { share: 0.1, least: 0 }
/** For multiples of the CPU of an empty program, in percent. */
export const ratioNoise: Noise = { share: 0.1, least: 50 }
/** For high percentiles of latencies, which a single pause of the disk or the garbage collector changes. */
export const latencyNoise: Noise = { share: 0.25, least: 10 }
