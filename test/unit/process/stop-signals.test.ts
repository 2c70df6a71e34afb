import { afterEach, describe, expect, it, vi } from 'vitest'
import { listenForStop } from '../../../src/process/stop-signals.ts'

afterEach(() => {
  vi.useRealTimers()
})

/** A listener with what it told; time stands still until it is advanced. */
function listen() {
  vi.useFakeTimers({ toFake: ['performance'] })
  const told: string[] = []
  const action = listenForStop((what, signal) => told.push(`${what} ${signal}`))
  return { action, told, [Symbol.dispose]: action.release }
}

describe.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s', (signal) => {
  it('asks for a graceful end', () => {
    using listening = listen()
    expect(listening.action.stop.aborted).toBe(false)
    process.emit(signal, signal)
    expect(listening.action.stop.aborted).toBe(true)
    expect(listening.action.forceStop.aborted).toBe(false)
    expect(listening.told).toEqual([`stop ${signal}`])
  })
})

it('a second signal within a second is the same keystroke', () => {
  using listening = listen()
  process.emit('SIGINT', 'SIGINT')
  vi.advanceTimersByTime(999)
  process.emit('SIGINT', 'SIGINT')
  process.emit('SIGTERM', 'SIGTERM')
  expect(listening.action.forceStop.aborted).toBe(false)
  expect(listening.told).toEqual(['stop SIGINT'])
})

it('a later one is impatience, told once', () => {
  using listening = listen()
  process.emit('SIGINT', 'SIGINT')
  vi.advanceTimersByTime(1001)
  for (let n = 0; n < 3; n++) process.emit('SIGINT', 'SIGINT')
  expect(listening.action.forceStop.aborted).toBe(true)
  expect(listening.told).toEqual(['stop SIGINT', 'forceStop SIGINT'])
})

it('gives the signals back', () => {
  const before = process.listenerCount('SIGINT')
  const listening = listen()
  expect(process.listenerCount('SIGINT')).toBe(before + 1)
  listening.action.release()
  expect(process.listenerCount('SIGINT')).toBe(before)
})
