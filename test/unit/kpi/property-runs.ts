/**
 * The parameters that every property test passes to fast-check. `npm run fuzz` sets FC_SEED and FC_NUM_RUNS; a property
 * that fails prints its seed, and FC_SEED repeats it.
 */
export const propertyRuns: { numRuns: number; seed?: number } = {
  numRuns: wholeNumber('FC_NUM_RUNS') ?? 300,
  ...seedFromEnvironment(),
}

/** Time limit of a property test whose every run writes and reads a file: a loaded machine needs more than the usual 20 s. */
export const fileRunsTimeoutMs = 60_000

function seedFromEnvironment(): { seed?: number } {
  const seed = wholeNumber('FC_SEED')
  return seed === undefined ? {} : { seed }
}

function wholeNumber(name: string): number | undefined {
  const text = process.env[name]
  if (text === undefined || text === '') return undefined
  if (!/^-?\d{1,15}$/.test(text)) throw new Error(`${name}=${text}: must be a whole number`)
  return Number(text)
}
