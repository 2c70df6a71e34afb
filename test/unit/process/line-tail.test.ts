import { describe, expect, it } from 'vitest'
import { LineTail } from '../../../src/process/line-tail.ts'

function tailOf(...chunks: (string | Buffer)[]): LineTail {
  const tail = new LineTail()
  for (const chunk of chunks) tail.push(Buffer.from(chunk))
  return tail
}

it('cuts chunks into lines, wherever they end', () => {
  const tail = new LineTail()
  expect(tail.push(Buffer.from('one\ntw'))).toEqual(['one'])
  expect(tail.push(Buffer.from('o\r\n\nthree'))).toEqual(['two', ''])
  expect(tail.find(/t/)).toBe('three')
})

it('keeps a character whole that stands in two chunks', () => {
  const bytes = Buffer.from('Grüße\n')
  expect(tailOf(bytes.subarray(0, 3), bytes.subarray(3)).find(/./)).toBe('Grüße')
})

it('remembers the last sixty lines, and of each two thousand characters', () => {
  const tail = tailOf(Array.from({ length: 100 }, (_, n) => `line ${n}\n`).join(''))
  expect(tail.find(/^line 39$/)).toBeUndefined()
  expect(tail.find(/^line 40$/)).toBe('line 40')
  for (let n = 0; n < 50; n++) tail.push(Buffer.alloc(100_000, 'x'))
  expect(tail.find(/x/)?.length).toBeLessThanOrEqual(2000)
})

describe('the line that says why', () => {
  it.each<[string, string, string | undefined]>([
    ['is the last one', 'starting\ncould not\n\n', 'could not'],
    ['is none of a stack', 'Error in x\n    at y (z:1)\n    ... 3 more\n', 'Error in x'],
    ['is one marked as an error', 'ERROR it broke\nstopping\n', 'ERROR it broke'],
    ['is our own word before all', 'market-kpi: no\nERROR later\n', 'market-kpi: no'],
    [
      "is PostgreSQL's",
      'FATAL:  could not create lock file\nLOG:  database system is shut down\n',
      'FATAL:  could not create lock file',
    ],
    [
      'is not what a client was told that came too early',
      'PANIC:  no valid checkpoint\nFATAL:  the database system is starting up\nLOG:  done\n',
      'PANIC:  no valid checkpoint',
    ],
    ['does not exist', '\n\n', undefined],
  ])('%s', (_, output, line) => {
    expect(tailOf(output).lastMeaningful()).toBe(line)
  })
})
