// A release is made in a copy of the project with a history of its own. What it does for users, a tag and a tested package,
// is looked at, and that a release that is refused or fails leaves nothing behind.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ReleaseProblem, withRelease, withVersion } from '../../scripts/release/version-texts.ts'
import { files, read, root } from './tracked-files.ts'

const releaseTimeoutMs = 600_000
const { version: current } = JSON.parse(read('package.json')) as { version: string }
const next = current.replace(/\d+$/, (patch) => String(Number(patch) + 1))
const entry = '- A sentence for users.\n'
let clone: string

function git(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('git', args, { cwd: clone, encoding: 'utf8' })
  expect(status, stderr).toBe(0)
  return stdout
}

function release(...args: string[]) {
  const script = join(clone, 'scripts', 'release.ts')
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { cwd: clone, encoding: 'utf8' })
  return { status, stdout, stderr }
}

const inClone = (file: string) => readFileSync(join(clone, file), 'utf8')

function commitChangelog(text: string): void {
  writeFileSync(join(clone, 'CHANGELOG.md'), text)
  git('commit', '--quiet', '--all', '--message', 'Changelog')
}

beforeAll(() => {
  clone = mkdtempSync(join(tmpdir(), 'market-kpi-clone-'))
  for (const file of files) {
    mkdirSync(dirname(join(clone, file)), { recursive: true })
    cpSync(join(root, file), join(clone, file))
  }
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'))
  git('init', '--quiet', '--initial-branch', 'main')
  // The pattern of .gitignore fits a folder only.
  writeFileSync(join(clone, '.git', 'info', 'exclude'), 'node_modules\n')
  for (const [name, value] of Object.entries({ 'user.name': 'A Tester', 'user.email': 'tester@example.com' })) {
    git('config', name, value)
  }
  git('add', '--all')
  git('commit', '--quiet', '--message', 'Before')
  commitChangelog(`# Changelog\n\n## [Unreleased]\n\n### Fixed\n\n${entry}\n## [0.0.1] - 2026-01-01\n\n- First.\n`)
})

afterAll(() => rmSync(clone, { recursive: true, force: true }))

describe('is refused, and nothing is changed, when', () => {
  const refused = (...args: string[]) => {
    const head = git('rev-parse', 'HEAD')
    const { status, stdout, stderr } = release(...args)
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(git('rev-parse', 'HEAD')).toBe(head)
    return stderr
  }

  it('the version is none, or an older one', () => {
    expect(refused('1.2')).toBe("release: '1.2' is not a version: three numbers such as 1.4.0\n")
    expect(refused('v1.2.3')).toContain('is not a version')
    expect(refused('0.0.9')).toBe(`release: 0.0.9 is older than ${current}, the version in package.json\n`)
  })

  it('something is not committed', () => {
    writeFileSync(join(clone, 'left.txt'), 'left')
    expect(refused(next)).toBe('release: commit or remove first: ?? left.txt\n')
    rmSync(join(clone, 'left.txt'))
  })

  it('the branch is another one', () => {
    git('switch', '--quiet', '--create', 'work')
    expect(refused(next)).toBe("release: releases are made on the branch main, this is 'work'\n")
    git('switch', '--quiet', 'main')
  })

  it('the tag exists', () => {
    git('tag', `v${next}`)
    expect(refused(next)).toBe(`release: the tag v${next} exists already: choose the next version\n`)
    git('tag', '--delete', `v${next}`)
  })

  it('nothing is listed as unreleased', () => {
    const text = inClone('CHANGELOG.md')
    commitChangelog(text.replace(entry, ''))
    expect(refused(next)).toBe('release: CHANGELOG.md lists nothing under [Unreleased]\n')
    commitChangelog(text)
  })

  it('there is not one version', () => {
    expect(release()).toEqual({ status: 2, stdout: '', stderr: 'release: one version is needed; see --help\n' })
    expect(release('1.0.0', '1.0.1').status).toBe(2)
  })
})

it('a check that fails ends it, with all files as before', { timeout: releaseTimeoutMs }, () => {
  writeFileSync(join(clone, 'scripts', 'badly-formatted.ts'), 'export   const  nothing=1\n')
  git('add', '--all')
  git('commit', '--quiet', '--message', 'Badly formatted')
  const { status, stderr } = release(next)
  expect({ status, stderr: stderr.split('\n').at(-2) }).toEqual({
    status: 1,
    stderr: "release: 'npm run check' failed, see above",
  })
  expect(git('status', '--porcelain') + git('tag')).toBe('')
  git('reset', '--quiet', '--hard', 'HEAD~1')
})

it('--dry-run tests the package and changes nothing', { timeout: releaseTimeoutMs }, () => {
  const head = git('rev-parse', 'HEAD')
  const { status, stdout, stderr } = release(next, '--dry-run')
  expect(status, stdout + stderr).toBe(0)
  const end = `\n### Fixed\n\n${entry}\nwould commit and tag this as v${next}; nothing was changed\n`
  expect(stdout.slice(-end.length)).toBe(end)
  expect(git('rev-parse', 'HEAD')).toBe(head)
  expect(git('status', '--porcelain') + git('tag')).toBe('')
  expect(existsSync(join(clone, `market-kpi-${next}.tgz`))).toBe(false)
})

it('commits and tags the version, and leaves the package that was tested', { timeout: releaseTimeoutMs }, () => {
  const today = new Date().toISOString().slice(0, 10)
  const { status, stdout, stderr } = release(next)
  expect(status, stdout + stderr).toBe(0)
  expect(git('log', '-1', '--format=%s', `v${next}`)).toBe(`Release ${next}\n`)
  expect(git('diff', '--name-only', 'HEAD~1').trim().split('\n')).toEqual([
    'CHANGELOG.md',
    'package-lock.json',
    'package.json',
  ])
  const changelog = inClone('CHANGELOG.md')
  const dates = [today, new Date().toISOString().slice(0, 10)]
  expect(dates.map((date) => `## [Unreleased]\n\n## [${next}] - ${date}\n\n### Fixed\n\n${entry}`)).toContainEqual(
    expect.toSatisfy((section: string) => changelog.includes(section)),
  )
  const lock = JSON.parse(inClone('package-lock.json')) as { version: string; packages: { '': { version: string } } }
  expect([lock.version, lock.packages[''].version]).toEqual([next, next])
  expect(git('tag', '--list', '--format=%(contents)')).toBe(`market-kpi ${next}\n\n### Fixed\n\n${entry}\n`)
  expect(git('status', '--porcelain')).toBe('')
  const tarball = join(clone, `market-kpi-${next}.tgz`)
  expect(existsSync(tarball)).toBe(true)
  expect(stdout).toContain(`  git push origin main v${next}\n  npm publish ${tarball}\n`)
  expect(release(next).stderr).toContain(`CHANGELOG.md has a section ${next} already`)
})

describe('the texts of a release', () => {
  it('are the files as npm writes them, but for the version', () => {
    for (const file of ['package.json', 'package-lock.json']) expect(withVersion(read(file), current)).toBe(read(file))
  })

  it('leave what was released before as it is', () => {
    const before = '## [1.0.0] - 2026-01-02\n\n- Second.\n\n## [0.9.0] - 2026-01-01\n\n- First.\n'
    const { text, notes } = withRelease(`# C\n\n## [Unreleased]\n\n- Third.\n\n${before}`, {
      version: '1.1.0',
      date: '2026-02-03',
    })
    expect(text).toBe(`# C\n\n## [Unreleased]\n\n## [1.1.0] - 2026-02-03\n\n- Third.\n\n${before}`)
    expect(notes).toBe('- Third.')
  })

  it('need a place for them', () => {
    const release = { version: '1.0.0', date: '2026-01-01' }
    expect(() => withRelease('# C\n', release)).toThrow(ReleaseProblem)
  })
})
