import { createHash } from 'node:crypto'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { identify } from '../../../src/embedded/process-identity.ts'
import { takeUpLock, upLockOwner } from '../../../src/embedded/up-lock.ts'
import { temporaryFolder } from '../../temporary-folder.ts'
import { idle, runScript } from './test-processes.ts'

let folder: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => folder[Symbol.dispose]())

const lockFile = () => join(folder.path, 'up.lock')
const nobody = '{"pid":1,"startedAs":"an-earlier-boot/1"}\n'

/** A process that takes the lock at a given moment, says whether it got it, and keeps it. */
function contender(startAtMs: number) {
  const source = join(import.meta.dirname, '../../../src/embedded/up-lock.ts')
  return runScript(`
    import { takeUpLock } from ${JSON.stringify(source)}
    while (Date.now() < ${startAtMs});
    let said = 'taken'
    try { takeUpLock(${JSON.stringify(folder.path)}) } catch (error) { said = error.code ?? error.stack }
    console.log(said)
    `)
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
    await using holder = await contender(0)
    expect(() => takeUpLock(folder.path)).toThrow(`(pid ${holder.pid})`)
    holder.process.kill('SIGKILL')
    await holder.ended
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

it('goes to one of many that find it stale at the same moment', async () => {
  for (let round = 0; round < 3; round++) {
    writeFileSync(lockFile(), nobody)
    const startAtMs = Date.now() + 1000
    await using contenders = new AsyncDisposableStack()
    const processes = await Promise.all(
      Array.from({ length: 6 }, async () => contenders.use(await contender(startAtMs))),
    )
    expect(processes.map(({ said }) => said).sort()).toEqual([...Array(5).fill('KPI_DATA_DIR_IN_USE'), 'taken'])
    expect(upLockOwner(folder.path)?.pid).toBe(processes.find(({ said }) => said === 'taken')?.pid)
  }
})

it('is not given back for a successor', () => {
  const lock = takeUpLock(folder.path)
  writeFileSync(lockFile(), nobody)
  lock.release()
  expect(existsSync(lockFile())).toBe(true)
})
