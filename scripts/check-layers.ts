// Checks the layer rule of .dependency-cruiser.mjs over src and bin, of the folder given or of this project.
import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { cruise, type ICruiseResult } from 'dependency-cruiser'
import configuration from '../.dependency-cruiser.mjs'

const root = resolve(process.argv[2] ?? join(import.meta.dirname, '..'))
process.chdir(root)
const { forbidden = [], options = {} } = configuration
const { output } = await cruise(['src', 'bin'], { ...options, ruleSet: { forbidden }, validate: true })
if (typeof output === 'string') throw new Error(`dependency-cruiser answered in words: ${output}`)
report(output)

function report({ modules, summary }: ICruiseResult): void {
  for (const { from, to, rule } of summary.violations) process.stdout.write(`${rule.name}: ${from} → ${to}\n`)
  // A parser that reads nothing finds nothing: what was read must be what is there.
  const read = new Set(modules.map((module) => module.source))
  const unread = sourceFiles().filter((file) => !read.has(file))
  for (const file of unread) process.stdout.write(`not read: ${file}\n`)
  const imports = modules.flatMap((module) => module.dependencies).length
  const files = read.size
  process.stdout.write(`${files} modules, ${imports} imports, ${summary.violations.length} violations\n`)
  if (summary.error > 0 || unread.length > 0 || imports === 0) process.exitCode = 1
}

function sourceFiles(): string[] {
  return ['src', 'bin'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(ts|tsx|js)$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name)),
  )
}
