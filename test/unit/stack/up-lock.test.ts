import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { identify } from '../../../src/process/process-identity.ts'
import { takeUpLock, upLockOwner } from '../../../src/stack/up-lock.ts'
import { temporaryFolder } from '../../temporary-folder.ts'
import { idle, runScript } from '../process/test-processes.ts'

let folder: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => folder[Symbol.dispose]())

const lockFile = () => join(folder.path, 'up.lock')
const nobody = '{"pid":1,"startedAs":"an-earlier-boot/1"}\n'

const source = JSON.stringify(join(import.meta.dirname, '../../../src/stack/up-lock.ts'))

/** A process that takes the lock and keeps it. */
function holder() {
  return runScript(`
    import { takeUpLock } from ${source}
    takeUpLock(${JSON.stringify(folder.path)})
    console.log('taken')`)
}

/** A process that tries for the locks of many folders, each at its own moment, and says which it got. */
function contender(folders: readonly string[], startAtMs: number) {
  return runScript(`
    import { takeUpLock } from ${source}
    const taken = []
    for (const [index, path] of ${JSON.stringify(folders)}.entries()) {
      while (Date.now() < ${startAtMs} + index * 4);
      try {
        takeUpLock(path)
        taken.push(index)
      } catch (error) {
        if (error.code !== 'KPI_DATA_DIR_IN_USE') taken.push(error.stack)
      }
    }
    console.log(JSON.stringify(taken))`)
}

it('is held by one process, until it gives it back', () => {
  expect(upLockOwner(folder.path)).toBeUndefined()
  const lock = takeUpLock(folder.path)
  expect(upLockOwner(folder.path)).toEqual(identify(process.pid))
  lock.release()
  expect(upLockOwner(folder.path)).toBeUndefined()
  expect(readdirSync(folder.path)).toEqual([])
  lock.release()
})

it('refuses a second holder in one line that names the first and what to do', () => {
  using _ = { [Symbol.dispose]: takeUpLock(folder.path).release }
  expect(() => takeUpLock(folder.path)).toThrow(
    expect.objectContaining({
      code: 'KPI_DATA_DIR_IN_USE',
      message: `another 'market-kpi up' (pid ${process.pid}) runs in ${folder.path}: stop it with 'market-kpi down --data-dir ${folder.path}', or name another --data-dir`,
    }),
  )
  expect(readdirSync(folder.path)).toEqual(['up.lock'])
})

describe('is taken over', () => {
  it('from a process that was killed', async () => {
    await using first = await holder()
    expect(() => takeUpLock(folder.path)).toThrow(`(pid ${first.pid})`)
    first.process.kill('SIGKILL')
    await first.ended
    expect(upLockOwner(folder.path)).toBeUndefined()
    takeUpLock(folder.path).release()
    expect(readdirSync(folder.path)).toEqual([])
  })

  it('from a process whose pid a stranger has now', async () => {
    await using stranger = await runScript(idle)
    writeFileSync(lockFile(), JSON.stringify({ pid: stranger.pid, startedAs: 'an-earlier-boot/1' }))
    takeUpLock(folder.path).release()
  })

  it.each(['', '{', '{"pid":1}'])('when it holds no owner but "%s"', (text) => {
    writeFileSync(lockFile(), text)
    takeUpLock(folder.path).release()
    expect(readdirSync(folder.path)).toEqual([])
  })

  it('though one that was taking it over was killed on the way', () => {
    writeFileSync(lockFile(), nobody)
    const claim = `${lockFile()}.stale-${createHash('sha256').update(nobody).digest('hex').slice(0, 12)}`
    writeFileSync(claim, nobody.replace('/1"', '/2"'))
    takeUpLock(folder.path).release()
    expect(readdirSync(folder.path)).toEqual([])
  })
})

it('goes to exactly one of those who find it stale at the same moment', async () => {
  const folders = Array.from({ length: 400 }, (_, index) => join(folder.path, String(index)))
  for (const path of folders) {
    mkdirSync(path)
    writeFileSync(join(path, 'up.lock'), nobody)
  }
  const startAtMs = Date.now() + 1000
  await using contenders = new AsyncDisposableStack()
  const processes = await Promise.all(
    Array.from({ length: 3 }, async () => contenders.use(await contender(folders, startAtMs))),
  )
  const taken = processes.flatMap(({ said }) => JSON.parse(said) as number[])
  expect(taken.sort((a, b) => a - b)).toEqual([...folders.keys()])
  for (const path of folders) expect(readdirSync(path)).toEqual(['up.lock'])
})

it('is not given back for a successor', () => {
  const lock = takeUpLock(folder.path)
  writeFileSync(lockFile(), nobody)
  lock.release()
  expect(existsSync(lockFile())).toBe(true)
})
