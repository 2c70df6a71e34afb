import { describe, expect, it } from 'vitest'
import { impasseError, verdictOf } from '../../../../src/kafka/produce/produce-verdict.ts'

// Codes: https://kafka.apache.org/protocol#protocol_error_codes
describe('the verdict on a batch', () => {
  it.each([
    [0, 'written'],
    [46, 'written'], // DUPLICATE_SEQUENCE_NUMBER
    [45, 'outOfSequence'], // OUT_OF_ORDER_SEQUENCE_NUMBER
    [59, 'outOfSequence'], // UNKNOWN_PRODUCER_ID
    [10, 'tooLarge'], // MESSAGE_TOO_LARGE
    [18, 'tooLarge'], // RECORD_LIST_TOO_LARGE
    [6, 'refused'], // NOT_LEADER_OR_FOLLOWER
    [3, 'refused'], // UNKNOWN_TOPIC_OR_PARTITION
    [19, 'refused'], // NOT_ENOUGH_REPLICAS
    [7, 'unknown'], // REQUEST_TIMED_OUT
    [13, 'unknown'], // NETWORK_EXCEPTION
    [20, 'unknown'], // NOT_ENOUGH_REPLICAS_AFTER_APPEND
  ])('of error %i is %s', (code, verdict) => {
    expect(verdictOf(code)).toBe(verdict)
  })

  it.each([
    [29, 'KPI_KAFKA_AUTH'], // TOPIC_AUTHORIZATION_FAILED
    [31, 'KPI_KAFKA_AUTH'], // CLUSTER_AUTHORIZATION_FAILED
    [47, 'KPI_KAFKA_FENCED'], // INVALID_PRODUCER_EPOCH
    [90, 'KPI_KAFKA_FENCED'], // PRODUCER_FENCED
    [87, 'KPI_KAFKA_REQUEST'], // INVALID_RECORD
    [999, 'KPI_KAFKA_REQUEST'], // none that is known
  ])('of error %i is fatal, and names the topic', (code, errorCode) => {
    const verdict = verdictOf(code)
    const error = typeof verdict === 'string' ? undefined : verdict.fatal('prices', 'THE_NAME')
    expect(error?.code).toBe(errorCode)
    expect(error?.message).toContain("'prices'")
    expect(error?.message).toContain('THE_NAME')
  })
})

describe('an impasse', () => {
  const batch = {
    records: Buffer.alloc(1234),
    count: 1,
    chargedBytes: 1234,
    sequence: 0,
    doubtful: false,
    followed: false,
    verdict: undefined,
  }

  it.each([
    ['tooLarge', 'KPI_KAFKA_REQUEST', /1234 bytes.*max\.message\.bytes/],
    ['lost', 'KPI_KAFKA_FENCED', /partition 2.*start the feed again/],
    ['overtaken', 'KPI_KAFKA_FENCED', /partition 2.*earlier feed.*start this one again/],
  ] as const)('%s says what to do', (impasse, code, message) => {
    const error = impasseError(impasse, { topic: 'prices', partition: 2, batch })
    expect(error.code).toBe(code)
    expect(error.message).toMatch(message)
    expect(error.message).not.toContain('\n')
  })
})
