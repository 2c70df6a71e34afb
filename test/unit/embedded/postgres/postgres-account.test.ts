import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { postgresAccount } from '../../../../src/embedded/postgres/postgres-account.ts'
import { temporaryFolder } from '../../../temporary-folder.ts'

const isRoot = process.getuid?.() === 0

let folder: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => {
  vi.unstubAllEnvs()
  folder[Symbol.dispose]()
})

/** Runs a program as the account that PostgreSQL gets, with these folders to enter. */
function run(folders: string[], program: string, args: string[]): { stdout: string; status: number | null } {
  const { command, args: all, ...ids } = postgresAccount(folders).launch(program, args)
  return spawnSync(command, all, { encoding: 'utf8', ...ids })
}

it.each([0o755, 0o700])('is not root, where the folder has mode %o', (mode) => {
  chmodSync(folder.path, mode)
  const { stdout } = run([folder.path], '/usr/bin/id', ['-u'])
  expect(Number(stdout)).toBeGreaterThan(0)
})

it('can work in a folder that nobody else may enter', () => {
  const storage = join(folder.path, 'storage')
  mkdirSync(storage, { mode: 0o700 })
  chmodSync(folder.path, 0o700)
  postgresAccount([folder.path]).own(storage)
  expect(run([folder.path], '/usr/bin/touch', [join(storage, 'file')]).status).toBe(0)
  expect(statSync(join(storage, 'file')).uid).toBeGreaterThan(0)
})

it('refuses, where it cannot enter a folder and setpriv is missing, in a line that says what to do', () => {
  chmodSync(folder.path, 0o700)
  vi.stubEnv('PATH', folder.path)
  const attempt = () => postgresAccount([folder.path])
  if (!isRoot) return expect(attempt().launch('x', ['y'])).toEqual({ command: 'x', args: ['y'] })
  expect(attempt).toThrow(
    expect.objectContaining({
      code: 'KPI_DATA_DIR_UNUSABLE',
      message: expect.stringMatching(
        new RegExp(
          `^PostgreSQL does not run as root, and the user '\\w+' .* cannot enter ${folder.path}: .*chmod o\\+x`,
        ),
      ),
    }),
  )
})
