import { expect, it } from 'vitest'
import { ProgressLine } from '../../../src/process/progress-line.ts'

it('is one line that changes on a terminal, and no longer than that', () => {
  const written: string[] = []
  const screen = { isTTY: true, columns: 20, write: (text: string) => written.push(text) > 0 } as NodeJS.WriteStream
  const line = new ProgressLine({ screen, print: (text) => expect.unreachable(text) })
  line.show('10 of 45 MB')
  line.show('45 of 45 MB, and what does not fit')
  line.end()
  line.end()
  expect(written.join('')).toBe('\r10 of 45 MB\x1b[K\r45 of 45 MB, and wh\x1b[K\n')
})

it('is a line every five seconds elsewhere', () => {
  const lines: string[] = []
  let nowMs = 0
  const line = new ProgressLine({ print: (text) => lines.push(text), now: () => nowMs })
  for (nowMs = 0; nowMs <= 10_000; nowMs += 500) line.show(`${nowMs} ms`)
  line.end()
  expect(lines).toEqual(['0 ms', '5000 ms', '10000 ms'])
})
