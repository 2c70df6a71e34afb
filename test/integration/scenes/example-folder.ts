import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { preparePython } from '../../../scripts/python-environment.ts'
import { ToolProblem } from '../../../scripts/run-tool.ts'
import { type Run, runProgram } from './processes.ts'

const root = join(import.meta.dirname, '..', '..', '..')
const examples = join(root, 'examples')
/** Kept from run to run: installing the packages takes longer than all the rest. */
const pythonFolder = join(examples, '.build', 'venv')

export const exampleNames: readonly string[] = readdirSync(examples, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
  .map(({ name }) => name)

/** What stands in place of a clone's root: the examples are copies, everything that they use is the clone's. */
export function makeWorkspace(folder: string): void {
  mkdirSync(join(folder, 'examples'))
  for (const name of [...exampleNames, 'README.md']) {
    cpSync(join(examples, name), join(folder, 'examples', name), { recursive: true })
  }
  // The first `npx market-kpi` in a clone runs the script `prepare`.
  const parts = ['bin', 'generated', 'migrations', 'node_modules', 'package.json', 'scripts', 'src']
  for (const name of parts) symlinkSync(join(root, name), join(folder, name))
  symlinkSync(pythonFolder, join(folder, '.venv'))
}

/**
 * The Python packages of all examples, in one environment.
 *
 * @returns Why there is none; undefined when there is.
 */
export async function installPythonPackages(): Promise<string | undefined> {
  const requirements = exampleNames
    .map((name) => join(examples, name, 'requirements.txt'))
    .filter((file) => existsSync(file))
  try {
    await preparePython(pythonFolder, requirements)
    return undefined
  } catch (error) {
    if (error instanceof ToolProblem) return error.message
    throw error
  }
}

/** The commands under the heading "Run" of an example's README. */
export function commandsOf(name: string): string {
  const text = readFileSync(join(examples, name, 'README.md'), 'utf8')
  const commands = /^## Run\n.*?^```sh\n(.*?)^```$/ms.exec(text)?.[1]
  if (commands === undefined) throw new Error(`examples/${name}/README.md has no commands under "## Run"`)
  return commands
}

/** Runs what an example's README says, in the workspace. */
export function runExample(workspace: string, commands: string): Run {
  const path = [dirname(process.execPath), process.env.PATH ?? ''].join(delimiter)
  return runProgram(['sh', '-ec', commands], { PATH: path, PAGER: 'cat', TZ: 'UTC' }, workspace)
}
