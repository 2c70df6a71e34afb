import type { Parameters } from 'fast-check'

const { FC_SEED, FC_NUM_RUNS } = process.env

/** How often a property is tried; scripts/fuzz.ts gives a seed and many runs. A failure prints its seed. */
export const propertyRuns: Parameters<unknown> = {
  numRuns: Number(FC_NUM_RUNS ?? 300),
  ...(FC_SEED === undefined ? {} : { seed: Number(FC_SEED) }),
}
