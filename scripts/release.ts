// Makes a release: npm run release -- VERSION [--dry-run]. CONTRIBUTING.md has the checklist around it. Nothing leaves this
// machine: what is pushed and published, a person pushes and publishes.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { testTarball } from './release/tarball.ts'
import { checkVersion, ReleaseProblem, withRelease, withVersion } from './release/version-texts.ts'
import { runTool, ToolProblem } from './run-tool.ts'

const root = join(import.meta.dirname, '..')
const help = `Usage: npm run release -- VERSION [--dry-run]

Makes the release VERSION, such as 1.4.0, from a clean main branch:
  1. sets the version in package.json and package-lock.json
  2. turns the section [Unreleased] of CHANGELOG.md into one of VERSION, with today's date (UTC)
  3. runs 'npm run check'
  4. packs the project, installs the package in an empty folder and runs 'market-kpi --version' there
  5. commits, and tags the commit as vVERSION
It pushes and publishes nothing, but prints the commands for that. When a step fails, the files are as before.

  --dry-run  do steps 1 to 4, then undo them
`

interface Changes {
  /** New contents by the path in the project. */
  readonly texts: Readonly<Record<string, string>>
  readonly notes: string
}

let isInterrupted = false
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    isInterrupted = true
  })
}

try {
  await main()
} catch (error) {
  if (!(error instanceof ReleaseProblem || error instanceof ToolProblem)) throw error
  process.stderr.write(`release: ${error.message}\n`)
  process.exitCode = 1
}

async function main(): Promise<void> {
  const { version, isDryRun } = readArguments()
  const changes = changesFor(version)
  await checkRepository(version)
  const step = (text: string) => process.stdout.write(`== ${text}\n`)
  const destination = isDryRun ? mkdtempSync(join(tmpdir(), 'market-kpi-tarball-')) : root
  const before = Object.fromEntries(Object.keys(changes.texts).map((file) => [file, read(file)]))
  let isDone = false
  try {
    step(`writing ${Object.keys(changes.texts).join(', ')}`)
    write(changes.texts)
    step('checks')
    runChecks()
    step('packing, and installing the package in an empty folder')
    const tarball = await testTarball({ root, destination, version })
    if (isInterrupted) throw new ReleaseProblem('interrupted')
    if (isDryRun) {
      process.stdout.write(`\n${changes.notes}\n\nwould commit and tag this as v${version}; nothing was changed\n`)
      return
    }
    step('commit and tag')
    await commit(version, changes)
    isDone = true
    process.stdout.write(`\nreleased v${version} here. To publish it:\n`)
    process.stdout.write(`  git push origin main v${version}\n  npm publish ${tarball}\n`)
  } finally {
    if (!isDone) write(before)
    if (isDryRun) rmSync(destination, { recursive: true, force: true })
  }
}

function readArguments(): { version: string; isDryRun: boolean } {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { 'dry-run': { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
    })
    if (values.help) {
      process.stdout.write(help)
      process.exit()
    }
    const [version, ...others] = positionals
    if (version === undefined || others.length > 0) throw new ReleaseProblem('one version is needed; see --help')
    return { version, isDryRun: values['dry-run'] }
  } catch (error) {
    process.stderr.write(`release: ${(error as Error).message}\n`)
    process.exit(2)
  }
}

/** @throws ReleaseProblem when the version or the changelog do not fit. */
function changesFor(version: string): Changes {
  const { version: current } = JSON.parse(read('package.json')) as { version: string }
  checkVersion(version, current)
  const date = new Date().toISOString().slice(0, 10)
  const { text, notes } = withRelease(read('CHANGELOG.md'), { version, date })
  const manifests = ['package.json', 'package-lock.json'].map((file) => [file, withVersion(read(file), version)])
  return { texts: { ...Object.fromEntries(manifests), 'CHANGELOG.md': text }, notes }
}

/** A release is made of what is committed on main, once. */
async function checkRepository(version: string): Promise<void> {
  const branch = (await git('branch', '--show-current')).trim()
  if (branch !== 'main') throw new ReleaseProblem(`releases are made on the branch main, this is '${branch}'`)
  const changed = (await git('status', '--porcelain')).trim()
  if (changed !== '') throw new ReleaseProblem(`commit or remove first: ${changed.split('\n')[0]?.trim()}`)
  const tags = (await git('tag', '--list', `v${version}`)).trim()
  if (tags !== '') throw new ReleaseProblem(`the tag v${version} exists already: choose the next version`)
}

function runChecks(): void {
  const { status } = spawnSync(process.execPath, [join(root, 'scripts', 'check.ts')], { cwd: root, stdio: 'inherit' })
  if (status !== 0) throw new ReleaseProblem("'npm run check' failed, see above")
}

async function commit(version: string, { texts, notes }: Changes): Promise<void> {
  await git('add', '--', ...Object.keys(texts))
  await git('commit', '--quiet', '--message', `Release ${version}`)
  // Lines that begin with # are headings here, not comments.
  await git(
    'tag',
    '--annotate',
    `v${version}`,
    '--cleanup=verbatim',
    '--message',
    `market-kpi ${version}\n\n${notes}\n`,
  )
}

function git(...args: string[]): Promise<string> {
  return runTool('git', args, { cwd: root })
}

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

function write(texts: Readonly<Record<string, string>>): void {
  for (const [file, text] of Object.entries(texts)) writeFileSync(join(root, file), text)
}
