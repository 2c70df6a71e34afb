import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** Why a program of the system could not do its work, in one line. */
export class ToolProblem extends Error {}

const execute = promisify(execFile)
const timeoutMs = 15 * 60_000
const maxOutputBytes = 64 * 1024 * 1024

/**
 * Runs a program of the system to its end.
 *
 * @returns What it wrote to stdout.
 * @throws ToolProblem when it is not installed, fails, or takes longer than 15 minutes.
 */
export async function runTool(
  program: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  try {
    const { stdout } = await execute(program, [...args], { timeout: timeoutMs, maxBuffer: maxOutputBytes, ...options })
    return stdout
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: unknown; stdout?: string; stderr?: string }
    if (code === 'ENOENT') throw new ToolProblem(`'${program}' is not in PATH`)
    throw new ToolProblem(`${program} ended with ${code}: ${firstProblem(`${stdout}\n${stderr}`)}`)
  }
}

function firstProblem(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  return (lines.find((line) => /error/i.test(line)) ?? lines.at(-1) ?? 'without output').trim()
}
