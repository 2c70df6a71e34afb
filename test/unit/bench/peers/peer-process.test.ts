import { expect, it } from 'vitest'
import { PeerProblem, runPeer } from '../../../../bench/peers/peer-process.ts'

const timeoutMs = 10_000
const peer = (script: string) => [process.execPath, '-e', script]

it('takes the result of a contender, and lets it end then', async () => {
  const script = `
    console.log('some word before')
    console.log(JSON.stringify({ firstAtMs: Date.now(), lastAtMs: Date.now() + 2500, messages: Number(process.env.N) }))
    process.stdin.resume().once('end', () => process.exit(0))`
  const run = await runPeer({ command: peer(script), env: { N: '42' }, timeoutMs })
  expect(run).toMatchObject({ messages: 42 })
  expect(run.seconds).toBeCloseTo(2.5, 1)
  expect(run.startSeconds).toBeGreaterThan(0)
  expect(run.startSeconds).toBeLessThan(timeoutMs / 1000)
  expect(run.cpuSeconds > 0 && run.peakMemoryMb > 1).toBe(process.platform === 'linux')
})

it('tells what a contender said that ended without a result', async () => {
  const run = runPeer({ command: peer('throw new TypeError("no such topic")'), env: {}, timeoutMs })
  await expect(run).rejects.toThrow('ended with 1: TypeError: no such topic')
})

it('ends a contender that never comes to an end', async () => {
  const run = runPeer({ command: peer('setInterval(() => {}, 1000)'), env: {}, timeoutMs: 200 })
  await expect(run).rejects.toThrow('ended with SIGKILL')
})

it('says so when the program is not there', async () => {
  const run = runPeer({ command: ['no-such-program'], env: {}, timeoutMs })
  await expect(run).rejects.toThrow(PeerProblem)
  await expect(run).rejects.toThrow('ENOENT')
})
