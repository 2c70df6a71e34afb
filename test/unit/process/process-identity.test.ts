import { describe, expect, it } from 'vitest'
import { assert } from '../../../src/errors.ts'
import { identify, isRunning, signalProcess, waitForEnd } from '../../../src/process/process-identity.ts'
import { idle, runScript } from './test-processes.ts'

it('stays the same while a process lives, and is another for another process', async () => {
  await using one = await runScript(idle)
  await using other = await runScript(idle)
  expect(identify(one.pid)).toEqual(identify(one.pid))
  expect(identify(one.pid)).toMatchObject({ pid: one.pid })
  expect(identify(other.pid)).not.toEqual(identify(one.pid))
})

it.each([0, -1, 1.5, Number.NaN, 2 ** 40])('there is none for the pid %d', (pid) => {
  expect(identify(pid)).toBeUndefined()
})

describe('a process that has ended', () => {
  it('has no identity and does not run', async () => {
    await using child = await runScript(idle)
    const identity = identify(child.pid)
    assert(identity, 'it runs')
    expect(isRunning(identity)).toBe(true)
    child.process.kill('SIGKILL')
    await child.ended
    expect(identify(child.pid)).toBeUndefined()
    expect(isRunning(identity)).toBe(false)
    expect(signalProcess(identity, 'SIGTERM')).toBe(false)
  })

  it('is told from a stranger who has its pid now', async () => {
    await using stranger = await runScript(idle)
    const gone = { pid: stranger.pid, startedAs: 'another-boot/42' }
    expect(isRunning(gone)).toBe(false)
    expect(signalProcess(gone, 'SIGKILL')).toBe(false)
    expect(await waitForEnd(gone, 0)).toBe(true)
    expect(identify(stranger.pid)).toBeDefined()
  })
})

it('a signal reaches exactly this process', async () => {
  await using child = await runScript(idle)
  const identity = identify(child.pid)
  assert(identity, 'it runs')
  expect(await waitForEnd(identity, 0)).toBe(false)
  expect(signalProcess(identity, 'SIGKILL')).toBe(true)
  expect(await waitForEnd(identity, 10_000)).toBe(true)
})
