// The package as a user gets it: packed, installed in an empty folder, run.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { files, root } from './tracked-files.ts'

let folder: string
let installed: string

/** Without the settings that the npm which runs these tests hands down. */
const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)))

function run(command: string, args: readonly string[], options: { cwd: string; env?: NodeJS.ProcessEnv }) {
  const env = { ...clean, ...options.env }
  return spawnSync(command, args, { cwd: options.cwd, env, encoding: 'utf8', timeout: 170_000 })
}

const marketKpi = (...args: readonly string[]) => run('npx', ['--no', '--', 'market-kpi', ...args], { cwd: folder })

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'market-kpi-package-'))
  const packed = run('npm', ['pack', '--pack-destination', folder], { cwd: root })
  expect(packed.status, packed.stdout + packed.stderr).toBe(0)
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? ''
  writeFileSync(join(folder, 'package.json'), '{ "name": "somebody", "private": true }\n')
  const settings = ['--prefer-offline', '--no-audit', '--no-fund']
  const installation = run('npm', ['install', ...settings, join(folder, tarball)], { cwd: folder })
  expect(installation.status, installation.stdout + installation.stderr).toBe(0)
  installed = join(folder, 'node_modules', 'market-kpi')
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('brings plain JavaScript with types, and no sources', () => {
  const names = readdirSync(join(installed, 'dist'), { recursive: true, encoding: 'utf8' })
  const sources = files.filter((file) => /^src\/.*\.ts$/.test(file))
  for (const source of sources) {
    const stem = source.slice('src/'.length, -'.ts'.length)
    expect(names).toContain(`${stem}.js`)
    expect(names).toContain(`${stem}.d.ts`)
  }
  expect(names.filter((name) => /\.tsx?$/.test(name) && !name.endsWith('.d.ts'))).toEqual([])
  expect(existsSync(join(installed, 'src'))).toBe(false)
})

it('brings the migrations, the pages and the licence, and nothing else', () => {
  const pages = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']
  expect(readdirSync(installed).sort()).toEqual([...pages, 'bin', 'dist', 'docs', 'generated', 'migrations'].sort())
  const migrations = files
    .filter((file) => file.startsWith('migrations/'))
    .map((file) => file.slice('migrations/'.length))
  expect(readdirSync(join(installed, 'migrations'))).toEqual(migrations)
})

it('has no development tools among what it installs', () => {
  const names = readdirSync(join(folder, 'node_modules'))
  for (const tool of ['typescript', 'vitest', 'knip', 'node', '@biomejs', 'rolldown']) expect(names).not.toContain(tool)
})

it('tells its version', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  const { status, stdout, stderr } = marketKpi('--version')
  expect({ status, stdout }, stderr).toEqual({ status: 0, stdout: `${version}\n` })
})

it('tells its commands', () => {
  const { status, stdout, stderr } = marketKpi('--help')
  expect(status, stderr).toBe(0)
  for (const command of ['up', 'down', 'init', 'feed', 'consume', 'verify']) {
    expect(stdout).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'))
  }
})

it('says in one line what is wrong with a setting', () => {
  const executable = join(folder, 'node_modules', '.bin', 'market-kpi')
  const { status, stdout, stderr } = run(executable, ['consume'], { cwd: folder, env: { WINDOW_SECONDS: 'abc' } })
  expect(stderr).toBe('WINDOW_SECONDS=abc: must be a whole number from 1 to 86400\n')
  expect(stdout).toBe('')
  expect(status).toBe(2)
})

describe("on the system's own Node, whatever it is", () => {
  /** Without the pinned Node, which the tests run on. */
  const path = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((place) => !place.includes('node_modules'))
    .join(delimiter)
  const version = run('/usr/bin/env', ['node', '--version'], { cwd: folder ?? root, env: { PATH: path } }).stdout.trim()
  const [major = 0, minor = 0] = version.slice(1).split('.').map(Number)
  const isNewEnough = major > 24 || (major === 24 && minor >= 6)
  const launch = () => {
    const executable = join(folder, 'node_modules', '.bin', 'market-kpi')
    return run('/usr/bin/env', [executable, '--help'], { cwd: folder, env: { PATH: path } })
  }

  it(`${version}: says how to get a newer one where it is too old`, () => {
    const { status, stdout, stderr } = launch()
    if (isNewEnough) expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    else {
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
      expect(stderr).toBe(
        `market-kpi: needs Node 24.6 or newer, this is ${version.slice(1)}: run \`npm install node@24\` where you installed market-kpi (with -g where it is global), which then uses it, or get one from https://nodejs.org\n`,
      )
    }
  })

  it('uses the one that npm install node@24 brings beside it', () => {
    symlinkSync(join(root, 'node_modules', 'node'), join(folder, 'node_modules', 'node'))
    try {
      const { status, stdout, stderr } = launch()
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      expect(stdout).toMatch(/^Usage: market-kpi/)
    } finally {
      rmSync(join(folder, 'node_modules', 'node'))
    }
  })
})
