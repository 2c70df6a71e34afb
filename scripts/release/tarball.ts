import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runTool } from '../run-tool.ts'
import { ReleaseProblem } from './version-texts.ts'

/** Without the settings that the npm which runs us hands down: they are those of this project, not of its user. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)))

/**
 * Packs the project, installs the tarball in an empty folder as a user does, and asks the installed program for its version.
 *
 * @param destination - Where the tarball is left.
 * @returns Its path.
 * @throws ReleaseProblem when the version is not `version`; ToolProblem when npm fails.
 */
export async function testTarball(options: { root: string; destination: string; version: string }): Promise<string> {
  const { root, destination, version } = options
  await runTool('npm', ['pack', '--pack-destination', destination], { cwd: root, env })
  const tarball = join(destination, `market-kpi-${version}.tgz`)
  const folder = mkdtempSync(join(tmpdir(), 'market-kpi-release-'))
  try {
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
    await runTool('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball], { cwd: folder, env })
    const told = await runTool('npx', ['--no', '--', 'market-kpi', '--version'], { cwd: folder, env })
    if (told.trim() !== version) {
      throw new ReleaseProblem(`the installed package says that its version is '${told.trim()}' instead of ${version}`)
    }
    return tarball
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
