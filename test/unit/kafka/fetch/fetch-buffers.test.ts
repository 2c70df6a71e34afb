import { expect, it } from 'vitest'
import { FetchBuffers, release } from '../../../../src/kafka/fetch/fetch-buffers.ts'

function pieces(text: string, size: number): Buffer[] {
  const bytes = Buffer.from(text)
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
}

it('gathers an answer that came in pieces, and keeps it while the next one comes', () => {
  const memory = new FetchBuffers()
  const first = memory.gather(pieces('the first answer', 3), 16)
  const second = memory.gather(pieces('the second', 4), 10)
  expect(first.toString()).toBe('the first answer')
  expect(second.toString()).toBe('the second')
})

it('keeps as many answers as it has turns, where other threads see them', () => {
  const memory = new FetchBuffers({ count: 3, isShared: true })
  const answers = ['first', 'second', 'third'].map((text) => memory.gather([Buffer.from(text)], text.length))
  expect(answers.map((answer) => answer.toString())).toEqual(['first', 'second', 'third'])
  for (const { buffer } of answers) expect(buffer).toBeInstanceOf(SharedArrayBuffer)
  expect(memory.gather([Buffer.from('fourth')], 6).buffer).toBe(answers[0]?.buffer)
})

it('uses the same memory again, and lets go of what a huge answer took', () => {
  const memory = new FetchBuffers()
  const gather = (bytes: number) => memory.gather([Buffer.alloc(bytes, 'x')], bytes)
  const usual = gather(100_000)
  gather(1)
  expect(gather(90_000).buffer).toBe(usual.buffer)
  const huge = gather(20_000_000)
  gather(1)
  expect(gather(1000).buffer.byteLength).toBeLessThan(huge.buffer.byteLength / 100)
})

it('gives back the memory of pieces, but not of those that share it with others', () => {
  const whole = Buffer.from(new ArrayBuffer(16))
  const shared = Buffer.from(new ArrayBuffer(16))
  const [before, behind] = [shared.subarray(0, 6), shared.subarray(6)]
  release([behind, whole])
  expect(whole.byteLength).toBe(0)
  expect([before.byteLength, behind.byteLength]).toEqual([6, 10])
})
