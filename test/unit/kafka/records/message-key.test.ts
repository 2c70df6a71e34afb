import { describe, expect, it } from 'vitest'
import { messageKey, murmur2, partitionOf } from '../../../../src/kafka/records/message-key.ts'

describe('the partition of a key', () => {
  // org.apache.kafka.common.utils.UtilsTest.testMurmur2, Apache Kafka 4.
  it.each([
    ['21', -973_932_308],
    ['foobar', -790_332_482],
    ['a-little-bit-long-string', -985_981_536],
    ['a-little-bit-longer-string', -1_486_304_829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58_897_971],
    ['abc', 479_470_107],
  ])('has the hash of the Java client: %s', (text, hash) => {
    expect(murmur2(Buffer.from(text)) | 0).toBe(hash)
  })

  it('is the positive hash modulo their number', () => {
    // Java: Utils.toPositive(-973932308) % 3, where toPositive clears the sign bit.
    expect(partitionOf(messageKey('21'), 3)).toBe((-973_932_308 & 0x7fffffff) % 3)
    expect(partitionOf(messageKey('abc'), 7)).toBe(479_470_107 % 7)
    expect(partitionOf(messageKey('AAPL'), 1)).toBe(0)
  })

  it('takes keys as UTF-8', () => {
    expect(messageKey('Ä').bytes).toEqual(Buffer.from([0xc3, 0x84]))
  })
})
