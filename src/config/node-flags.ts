/** As in the launcher's first line; docs/performance.md tells what it does. */
const youngGeneration = '--max-semi-space-size'

/** What a process of ours is started with: Node's options of this one, and the young generation of the hot path. */
export function nodeFlags(execArgv: readonly string[] = process.execArgv): string[] {
  const isSet = execArgv.some((flag) => flag.startsWith(youngGeneration))
  return isSet ? [...execArgv] : [...execArgv, `${youngGeneration}=2`]
}
