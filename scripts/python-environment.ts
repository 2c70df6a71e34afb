import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isBuiltFrom, markBuilt } from './build-mark.ts'
import { runTool, ToolProblem } from './run-tool.ts'

/** The first that reads the `Z` of a timestamp. */
const oldestMinor = 11

/**
 * Makes a virtual environment with the packages of all the requirements files; does nothing when it is there already.
 *
 * @param building - Called before the packages are installed, which takes a while.
 * @throws ToolProblem when python3 is missing, is older than 3.11 or has no `venv`, and when pip fails.
 */
export async function preparePython(
  folder: string,
  requirements: readonly string[],
  building: () => void = () => {},
): Promise<void> {
  const wanted = requirements.map((file) => readFileSync(file, 'utf8')).join('')
  if (isBuiltFrom(folder, wanted)) return
  building()
  const version = await runTool('python3', ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'])
  if (!isRecent(version)) throw new ToolProblem(`python3 is ${version.trim()}, 3.${oldestMinor} or newer is needed`)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(dirname(folder), { recursive: true })
  await runTool('python3', ['-m', 'venv', folder])
  const files = requirements.flatMap((file) => ['-r', file])
  await runTool(join(folder, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', ...files])
  markBuilt(folder, wanted)
}

function isRecent(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > 3 || (major === 3 && minor >= oldestMinor)
}
