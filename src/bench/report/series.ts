/** One figure of a report, measured once a run, that a later report is compared by. */
export interface Series {
  /** The same in every report that measures the same. */
  readonly name: string
  readonly unit: string
  readonly better: 'higher' | 'lower'
  readonly values: readonly number[]
  /** How far two medians may lie apart for no reason, whatever the runs' spread. */
  readonly noise: Noise
}

export interface Noise {
  /** Of the earlier median. */
  readonly share: number
  /** In the unit of the series. */
  readonly least: number
}

/** Rates of whole runs. */
export const rateNoise: Noise = { share: 0.1, least: 0 }
/** Multiples of the CPU of an empty program, in percent. */
export const ratioNoise: Noise = { share: 0.1, least: 50 }
/** Tails of latencies: one pause of a disk or a collector moves them. */
export const latencyNoise: Noise = { share: 0.25, least: 10 }
