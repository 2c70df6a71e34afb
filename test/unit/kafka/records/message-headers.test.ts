import { describe, expect, it } from 'vitest'
import { headerBytes, headersEnd, readHeaders } from '../../../../src/kafka/records/message-headers.ts'

describe('record headers', () => {
  it('are read back, from anywhere in a buffer', () => {
    const headers = { replay: 'a1b2-1ekg', line: '12@345', empty: '', long: 'x'.repeat(300), ü: 'ö' }
    const bytes = Buffer.concat([Buffer.from('value'), headerBytes(headers), Buffer.from('more')])
    expect(Object.fromEntries(readHeaders(bytes, 5))).toEqual(headers)
    expect(headersEnd(bytes, 5)).toBe(bytes.length - 4)
  })

  it('are one byte where there are none', () => {
    expect(headerBytes({})).toEqual(Buffer.from([0]))
    expect(readHeaders(Buffer.from([0]), 0).size).toBe(0)
  })

  it('stand as Kafka writes them', () => {
    // Zigzag varints: 1 header, a name of 1 byte, a value of 2.
    expect(headerBytes({ k: 'vv' })).toEqual(Buffer.from([2, 2, 0x6b, 4, 0x76, 0x76]))
  })

  it('may have a null value, which others write', () => {
    expect(readHeaders(Buffer.from([2, 2, 0x6b, 1]), 0)).toEqual(new Map([['k', '']]))
  })

  it('that end beyond the buffer are a corrupt answer', () => {
    const bytes = headerBytes({ name: 'value' })
    expect(() => readHeaders(bytes.subarray(0, -1), 0)).toThrow(expect.objectContaining({ code: 'KPI_KAFKA_CORRUPT' }))
  })
})
