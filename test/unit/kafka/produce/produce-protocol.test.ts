import { describe, expect, it } from 'vitest'
import { parseProduce } from '../../../../src/kafka/produce/produce-protocol.ts'

/** An answer after https://kafka.apache.org/protocol#The_Messages_Produce, version 9. */
function answer(partitions: readonly Buffer[]): Buffer {
  const count = Buffer.from([partitions.length + 1])
  const topic = Buffer.concat([Buffer.from([2, 2]), Buffer.from('t'), count, ...partitions, Buffer.from([0])])
  return Buffer.concat([topic, Buffer.from([0, 0, 0, 0, 0])])
}

function partition(index: number, errorCode: number, baseOffset: bigint, rest: Buffer): Buffer {
  const fixed = Buffer.alloc(4 + 2 + 8 + 8 + 8)
  fixed.writeInt32BE(index, 0)
  fixed.writeInt16BE(errorCode, 4)
  fixed.writeBigInt64BE(baseOffset, 6)
  return Buffer.concat([fixed, rest])
}

/** No record errors, no message, no tagged fields. */
const nothingMore = Buffer.from([1, 0, 0])

describe('the answer to a Produce request', () => {
  it('tells of each partition', () => {
    const bytes = answer([partition(0, 0, 2n ** 40n, nothingMore), partition(7, 6, -1n, nothingMore)])
    expect(parseProduce(bytes)).toEqual([
      { partition: 0, errorCode: 0, baseOffset: 2 ** 40 },
      { partition: 7, errorCode: 6, baseOffset: -1 },
    ])
  })

  it('may hold record errors, a message and the new leader', () => {
    const record = Buffer.concat([Buffer.from([0, 0, 0, 3, 4]), Buffer.from('bad'), Buffer.from([0])])
    const message = Buffer.concat([Buffer.from([4]), Buffer.from('why')])
    const leader = Buffer.from([1, 0, 3, 1, 2, 3])
    const rest = Buffer.concat([Buffer.from([2]), record, message, leader])
    const bytes = answer([partition(1, 87, -1n, rest), partition(2, 0, 5n, nothingMore)])
    expect(parseProduce(bytes).map(({ partition: index, errorCode }) => [index, errorCode])).toEqual([
      [1, 87],
      [2, 0],
    ])
  })

  it('that ends too early is corrupt', () => {
    const bytes = answer([partition(0, 0, 1n, nothingMore)])
    expect(() => parseProduce(bytes.subarray(0, 20))).toThrow(expect.objectContaining({ code: 'KPI_KAFKA_CORRUPT' }))
  })
})
