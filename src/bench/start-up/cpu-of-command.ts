import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { assert, KpiError } from '../../errors.ts'

const run = promisify(execFile)

/** The command's own output is dropped, so that only the two figures are printed. */
const script = `TIMEFORMAT='%3U %3S'; time "$0" "$@" >/dev/null 2>&1`

/**
 * The CPU seconds that a command uses in user and system mode, to the millisecond, whatever its exit code. bash
 * measures them, because /proc counts in hundredths of a second, which is a third of what `node -e 0` uses.
 *
 * @throws KpiError `KPI_USAGE` if bash is not installed.
 */
export async function cpuSecondsOf(
  file: string,
  args: readonly string[],
  options: { readonly env: NodeJS.ProcessEnv; readonly cwd: string },
): Promise<number> {
  // Some locales print a decimal comma, which would not parse as a number.
  const env = { ...options.env, LC_ALL: 'C' }
  const ended = await run('bash', ['-c', script, file, ...args], { ...options, env }).catch((error: unknown) => {
    if (hasOutput(error)) return error
    throw new KpiError('KPI_USAGE', 'bench start-up measures with bash, which is not in PATH: install it', {
      cause: error,
    })
  })
  const seconds = ended.stderr.trim().split(' ').map(Number)
  const sum = seconds.reduce((total, one) => total + one, 0)
  assert(seconds.length === 2 && sum > 0, `the CPU time of ${args.join(' ')}, not ${JSON.stringify(ended.stderr)}`)
  return sum
}

/** Whether `execFile` failed only because the program ended with an exit code other than 0. */
function hasOutput(error: unknown): error is { readonly stderr: string } {
  return error instanceof Error && 'stderr' in error && 'code' in error && typeof error.code === 'number'
}
