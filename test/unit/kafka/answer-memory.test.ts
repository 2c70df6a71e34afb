import { expect, it } from 'vitest'
import { AnswerMemory } from '../../../src/kafka/answer-memory.ts'

function pieces(text: string, size: number): Buffer[] {
  const bytes = Buffer.from(text)
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
}

it('gathers an answer that came in pieces, and keeps it while the next one comes', () => {
  const memory = new AnswerMemory()
  const first = memory.gather(pieces('the first answer', 3), 16)
  const second = memory.gather(pieces('the second', 4), 10)
  expect(first.toString()).toBe('the first answer')
  expect(second.toString()).toBe('the second')
})

it('uses the same memory again, and lets go of what a huge answer took', () => {
  const memory = new AnswerMemory()
  const gather = (bytes: number) => memory.gather([Buffer.alloc(bytes, 'x')], bytes)
  const usual = gather(100_000)
  gather(1)
  expect(gather(90_000).buffer).toBe(usual.buffer)
  const huge = gather(20_000_000)
  gather(1)
  expect(gather(1000).buffer.byteLength).toBeLessThan(huge.buffer.byteLength / 100)
})
