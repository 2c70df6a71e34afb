import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadSecrets } from '../../../../src/embedded/postgres/secrets.ts'
import { temporaryFolder } from '../../../temporary-folder.ts'

let folder: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => folder[Symbol.dispose]())

const file = () => join(folder.path, 'secrets.json')

it('are made once: three different passwords, for their owner alone to read', () => {
  const secrets = loadSecrets(folder.path)
  expect(new Set(Object.values(secrets)).size).toBe(3)
  for (const password of Object.values(secrets)) expect(password).toMatch(/^[\w-]{32}$/)
  expect(statSync(file()).mode & 0o777).toBe(0o600)
  expect(readdirSync(folder.path)).toEqual(['secrets.json'])
  expect(loadSecrets(folder.path)).toEqual(secrets)
})

it('differ between data directories', () => {
  using other = temporaryFolder()
  expect(loadSecrets(folder.path)).not.toEqual(loadSecrets(other.path))
})

describe('that fit no longer', () => {
  it.each(['', '{}', '{"owner":"a","pipeline":"b"}', 'null'])('are refused: %j', (text) => {
    writeFileSync(file(), text)
    expect(() => loadSecrets(folder.path)).toThrow(
      expect.objectContaining({
        code: 'KPI_DATA_DIR_UNUSABLE',
        message: `${file()} cannot be read: bring it back, or name another --data-dir`,
      }),
    )
    expect(readFileSync(file(), 'utf8')).toBe(text)
  })

  it('are not made anew beside a database that has the old ones', () => {
    loadSecrets(folder.path)
    mkdirSync(join(folder.path, 'postgres'))
    rmSync(file())
    expect(() => loadSecrets(folder.path)).toThrow(
      expect.objectContaining({ code: 'KPI_DATA_DIR_UNUSABLE', message: expect.stringContaining('is missing') }),
    )
    expect(readdirSync(folder.path)).toEqual(['postgres'])
  })
})
