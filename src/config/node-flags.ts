/** The same option is in the first line of the launcher; docs/performance.md explains it. */
const youngGeneration = '--max-semi-space-size'

/** The Node options of child processes: those of this process, and the size of the young generation. */
export function nodeFlags(execArgv: readonly string[] = process.execArgv): string[] {
  const isSet = execArgv.some((flag) => flag.startsWith(youngGeneration))
  return isSet ? [...execArgv] : [...execArgv, `${youngGeneration}=2`]
}
