import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RotatingLog } from '../../../src/process/rotating-log.ts'
import { temporaryFolder } from '../../temporary-folder.ts'

let folder: ReturnType<typeof temporaryFolder>
let logsDir: string
beforeEach(() => {
  folder = temporaryFolder()
  logsDir = join(folder.path, 'logs')
})
afterEach(() => folder[Symbol.dispose]())

const text = (name: string) => readFileSync(join(logsDir, name), 'utf8')
const files = () => readdirSync(logsDir).sort()

it('is made with its folder, for its owner alone to read', () => {
  const log = new RotatingLog({ logsDir, name: 'kafka' })
  log.write('one\n')
  log.write(Buffer.from('two\n'))
  log.close()
  expect(text('kafka.log')).toBe('one\ntwo\n')
  expect(statSync(logsDir).mode & 0o777).toBe(0o700)
  expect(statSync(log.path).mode & 0o777).toBe(0o600)
})

it('goes on at the end of an earlier one', () => {
  for (const line of ['first run\n', 'second run\n']) {
    const log = new RotatingLog({ logsDir, name: 'kafka' })
    log.write(line)
    log.close()
  }
  expect(text('kafka.log')).toBe('first run\nsecond run\n')
})

it('goes on after it was closed', () => {
  const log = new RotatingLog({ logsDir, name: 'postgres' })
  log.write('initdb\n')
  log.close()
  log.write('server\n')
  log.close()
  expect(text('postgres.log')).toBe('initdb\nserver\n')
})

describe('rotation', () => {
  const line = (n: number) => `line ${n}\n`

  it('keeps five files, none above its size, and the newest lines whole', () => {
    const log = new RotatingLog({ logsDir, name: 'w', maxBytes: 3 * line(1).length })
    for (let n = 1; n <= 9; n++) log.write(line(n))
    expect(files()).toEqual(['w.log', 'w.log.1', 'w.log.2'])
    expect(text('w.log.2') + text('w.log.1') + text('w.log')).toBe([1, 2, 3, 4, 5, 6, 7, 8, 9].map(line).join(''))
    for (let n = 10; n <= 100; n++) log.write(line(n))
    log.close()
    expect(files()).toEqual(['w.log', 'w.log.1', 'w.log.2', 'w.log.3', 'w.log.4'])
    expect(text('w.log')).toContain(line(100))
    for (const name of files()) expect(text(name).length).toBeLessThanOrEqual(3 * line(100).length)
  })

  it('counts what an earlier run wrote', () => {
    mkdirSync(logsDir)
    writeFileSync(join(logsDir, 'w.log'), 'x'.repeat(25))
    const log = new RotatingLog({ logsDir, name: 'w', maxBytes: 30 })
    log.write('0123456789\n')
    log.write('more\n')
    log.close()
    expect(text('w.log.1')).toBe('x'.repeat(25))
    expect(text('w.log')).toBe('0123456789\nmore\n')
  })

  it('takes a chunk that is larger than a file', () => {
    const log = new RotatingLog({ logsDir, name: 'w', maxBytes: 4 })
    log.write('much too long\n')
    log.write('next\n')
    log.close()
    expect([text('w.log.1'), text('w.log')]).toEqual(['much too long\n', 'next\n'])
    expect(files()).toHaveLength(2)
  })
})

describe('a log that cannot be written', () => {
  it('drops lines, counts them, and tells the count once it can be', () => {
    writeFileSync(logsDir, 'a file where the folder should be')
    const log = new RotatingLog({ logsDir, name: 'kafka' })
    log.write('lost\n')
    log.write('lost too\n')
    expect(log.dropped).toBeGreaterThanOrEqual(2)
    const { dropped } = log
    rmSync(logsDir)
    mkdirSync(logsDir)
    log.write('back\n')
    log.close()
    expect(log.dropped).toBe(0)
    expect(text('kafka.log')).toBe(`[${dropped} writes to this log were lost: it could not be written]\nback\n`)
  })

  it('does the same on a full disk', () => {
    mkdirSync(logsDir)
    symlinkSync('/dev/full', join(logsDir, 'kafka.log'))
    const log = new RotatingLog({ logsDir, name: 'kafka' })
    for (let n = 1; n <= 3; n++) {
      log.write('lost\n')
      expect(log.dropped).toBe(n)
    }
    rmSync(join(logsDir, 'kafka.log'))
    log.write('room again\n')
    log.close()
    expect(text('kafka.log')).toBe('[3 writes to this log were lost: it could not be written]\nroom again\n')
  })
})
