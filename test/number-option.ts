/** What is wrong with a command line, in one line. */
export class UsageError extends Error {}

/** The number that an option was given. @throws UsageError when it is none, or not within the bounds. */
export function numberOf(
  name: string,
  given: string | undefined,
  { fallback, min, max }: { fallback: number; min: number; max: number },
): number {
  const value = given === undefined ? fallback : Number(given)
  if (given?.trim() === '' || !(value >= min && value <= max)) {
    throw new UsageError(`--${name} ${given}: must be a number from ${min} to ${max}`)
  }
  return value
}
