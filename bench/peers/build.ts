import { execFile } from 'node:child_process'
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Build, buildFolder, type Contender, jvmFolder, peersFolder, venvFolder } from './contenders.ts'

/** What a build could not do, in one line. */
export class BuildProblem extends Error {}

const execute = promisify(execFile)
const buildTimeoutMs = 15 * 60_000
const maxOutputBytes = 64 * 1024 * 1024

/**
 * Builds what is missing or older than its sources.
 *
 * @throws BuildProblem when a tool is missing or says no.
 */
export async function build(kind: Build, say: (line: string) => void): Promise<void> {
  mkdirSync(buildFolder, { recursive: true })
  if (kind === 'maven') await buildJars(say)
  else await buildVenv(kind, say)
}

/** Maven finds out by itself what it has to compile, but never takes away a jar of a version before. */
async function buildJars(say: (line: string) => void): Promise<void> {
  const poms = globSync(join(peersFolder, '{,*/}pom.xml')).sort()
  const wanted = poms.map((file) => readFileSync(file, 'utf8')).join('')
  if (!isBuiltFrom(jvmFolder, wanted)) {
    say('building the contenders on the JVM; Maven may have to fetch 200 MB')
    rmSync(jvmFolder, { recursive: true, force: true })
  }
  const settings = ['-q', '-B', '-Dstyle.color=never', `-Dpeers.build=${jvmFolder}`]
  await run('mvn', [...settings, '-f', join(peersFolder, 'pom.xml'), 'package'])
  markBuilt(jvmFolder, wanted)
}

async function buildVenv(kind: 'python' | 'quix', say: (line: string) => void): Promise<void> {
  const folder = venvFolder(kind)
  const requirements = join(peersFolder, 'python', kind === 'quix' ? 'requirements-quix.txt' : 'requirements.txt')
  const wanted = readFileSync(requirements, 'utf8')
  if (isBuiltFrom(folder, wanted)) return
  say(`building a Python environment for ${kind}`)
  rmSync(folder, { recursive: true, force: true })
  const version = await run('python3', ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'])
  if (!isRecentPython(version)) throw new BuildProblem(`python3 is ${version.trim()}, 3.11 or newer is needed`)
  await run('python3', ['-m', 'venv', folder])
  await run(join(folder, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', '-r', requirements])
  markBuilt(folder, wanted)
}

const markName = 'built-from.txt'

/** The mark is written last: a folder without it broke off half-way. */
function isBuiltFrom(folder: string, wanted: string): boolean {
  const mark = join(folder, markName)
  return existsSync(mark) && readFileSync(mark, 'utf8') === wanted
}

function markBuilt(folder: string, from: string): void {
  writeFileSync(join(folder, markName), from)
}

/** 3.11 is the first that reads the `Z` of a timestamp. */
function isRecentPython(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > 3 || (major === 3 && minor >= 11)
}

async function run(program: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await execute(program, [...args], { timeout: buildTimeoutMs, maxBuffer: maxOutputBytes })
    return stdout
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: unknown; stdout?: string; stderr?: string }
    if (code === 'ENOENT') throw new BuildProblem(`'${program}' is not in PATH`)
    throw new BuildProblem(`${program} ended with ${code}: ${firstProblem(`${stdout}\n${stderr}`)}`)
  }
}

function firstProblem(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  return (lines.find((line) => /error/i.test(line)) ?? lines.at(-1) ?? 'no word').trim()
}

/** `Flink 2.2.1`, as pinned; what several contenders share, such as the JDBC driver, stands in the files. */
export function versionsOf({ versions }: Contender): string {
  return versions
    .map(({ label, file, name }) => {
      const text = readFileSync(join(peersFolder, file), 'utf8')
      const version = file === 'pom.xml' ? between(text, `<${name}>`, '<') : between(text, `${name}==`, '\n')
      return `${label} ${version}`
    })
    .join(', ')
}

function between(text: string, before: string, after: string): string {
  return text.split(before)[1]?.split(after)[0]?.trim() ?? 'unknown'
}
