import { globSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isBuiltFrom, markBuilt } from '../../scripts/build-mark.ts'
import { preparePython } from '../../scripts/python-environment.ts'
import { runTool } from '../../scripts/run-tool.ts'
import { type Build, buildFolder, type Contender, jvmFolder, peersFolder, venvFolder } from './contenders.ts'

/**
 * Builds what is missing or older than its sources.
 *
 * @throws ToolProblem when a tool is missing or says no.
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
  await runTool('mvn', [...settings, '-f', join(peersFolder, 'pom.xml'), 'package'])
  markBuilt(jvmFolder, wanted)
}

async function buildVenv(kind: 'python' | 'quix', say: (line: string) => void): Promise<void> {
  const file = kind === 'quix' ? 'requirements-quix.txt' : 'requirements.txt'
  await preparePython(venvFolder(kind), [join(peersFolder, 'python', file)], () =>
    say(`building a Python environment for ${kind}`),
  )
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
