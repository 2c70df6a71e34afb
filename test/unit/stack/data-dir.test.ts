import { spawnSync } from 'node:child_process'
import { chownSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KpiError } from '../../../src/errors.ts'
import { openDataDir, storageError } from '../../../src/stack/data-dir.ts'
import { smallDisk } from '../../small-disk.ts'
import { temporaryFolder } from '../../temporary-folder.ts'

let folder: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => folder[Symbol.dispose]())

it('is made with its parents, and left empty', () => {
  const path = join(folder.path, 'a', 'b')
  expect(openDataDir(path)).toBe(path)
  expect(readdirSync(path)).toEqual([])
  expect(statSync(path).mode & 0o777).toBe(0o711)
})

it('may be there already, and is told by its absolute path', () => {
  writeFileSync(join(folder.path, 'kept'), 'x')
  expect(openDataDir(relative(process.cwd(), folder.path))).toBe(folder.path)
  expect(readdirSync(folder.path)).toEqual(['kept'])
})

describe('is refused in one line', () => {
  it.each<[string, () => string, string]>([
    ['a file', () => join(folder.path, 'file'), 'EEXIST: file already exists'],
    ['below a file', () => join(folder.path, 'file', 'data'), 'ENOTDIR: not a directory'],
    ['where nobody may make one', () => '/proc/market-kpi', 'ENOENT: no such file or directory'],
    ['behind a link that leads nowhere', () => join(folder.path, 'link', 'data'), 'EEXIST: file already exists'],
  ])('%s', (_, path, why) => {
    writeFileSync(join(folder.path, 'file'), '')
    symlinkSync('nowhere', join(folder.path, 'link'))
    expect(() => openDataDir(path())).toThrow(
      expect.objectContaining({
        code: 'KPI_DATA_DIR_UNUSABLE',
        message: `the data directory ${path()} cannot be written (${why}): name another with --data-dir`,
      }),
    )
  })

  it('when root would take over what another user has there', () => {
    const file = join(folder.path, 'secrets.json')
    writeFileSync(file, '{}')
    expect(openDataDir(folder.path)).toBe(folder.path)
    if (process.getuid?.() !== 0) return
    chownSync(file, 65_534, 65_534)
    expect(() => openDataDir(folder.path)).toThrow(
      `the data directory ${folder.path} belongs to another user (uid 65534): run as that one, or name another with --data-dir`,
    )
  })

  it.each<[string, string, string, string]>([
    [
      'on a disk without room for the first file',
      'size=16k',
      'KPI_DISK_FULL',
      'is full: free some space or name another --data-dir',
    ],
    [
      'on a disk too small to work on',
      'size=8m',
      'KPI_DISK_FULL',
      'is full: 8 MB are free, 256 MB are needed; free some space or name another --data-dir',
    ],
    [
      'on a disk that is read-only',
      'ro',
      'KPI_DATA_DIR_UNUSABLE',
      'cannot be written (EROFS: read-only file system): name another with --data-dir',
    ],
  ])('%s', (_, options, code, message) => {
    const path = join(folder.path, 'data')
    mkdirSync(path)
    const source = JSON.stringify(join(import.meta.dirname, '../../../src/stack/data-dir.ts'))
    const script = `
      import { openDataDir } from ${source}
      try { openDataDir(${JSON.stringify(path)}) } catch ({ code, message }) { console.log(JSON.stringify({ code, message })) }`
    const [program, ...args] = smallDisk(path, options).run([process.execPath, '--input-type=module', '--eval', script])
    const { stdout } = spawnSync(program, args, { encoding: 'utf8' })
    expect(JSON.parse(stdout)).toEqual({
      code,
      message: expect.stringMatching(new RegExp(`^the (disk of the )?data directory ${path} `)),
    })
    expect(stdout).toContain(message)
  })
})

describe('storageError', () => {
  it('tells a full disk and a folder that cannot be written apart', () => {
    const fail = (code: string) => Object.assign(new Error(`${code}: why, write`), { code, syscall: 'write' })
    expect(storageError('/d', fail('ENOSPC'))).toMatchObject({ code: 'KPI_DISK_FULL' })
    expect(storageError('/d', fail('EDQUOT'))).toMatchObject({ code: 'KPI_DISK_FULL' })
    expect(storageError('/d', fail('EACCES'))).toMatchObject({ code: 'KPI_DATA_DIR_UNUSABLE' })
  })

  it('leaves everything else as it is', () => {
    for (const error of [new KpiError('KPI_PORT_BUSY', 'busy'), new Error('our own mistake'), undefined]) {
      expect(storageError('/d', error)).toBe(error)
    }
  })
})
