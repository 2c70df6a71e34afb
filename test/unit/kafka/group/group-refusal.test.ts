import { describe, expect, it } from 'vitest'
import { refusalError } from '../../../../src/kafka/group/group-coordinator.ts'

describe('refusalError', () => {
  it.each([
    ['GROUP_AUTHORIZATION_FAILED', 'KPI_KAFKA_AUTH'],
    ['TOPIC_AUTHORIZATION_FAILED', 'KPI_KAFKA_AUTH'],
    ['INCONSISTENT_GROUP_PROTOCOL', 'KPI_GROUP_REFUSED'],
    ['GROUP_ID_NOT_FOUND', 'KPI_GROUP_REFUSED'],
    ['INVALID_SESSION_TIMEOUT', 'KPI_GROUP_REFUSED'],
    ['GROUP_MAX_SIZE_REACHED', 'KPI_KAFKA_REQUEST'],
    ['UNKNOWN_SERVER_ERROR', 'KPI_KAFKA_REQUEST'],
  ])('tells %s as %s', (name, code) => {
    const error = refusalError('workers', { name, detail: undefined })
    expect(error).toMatchObject({ code, retryable: code === 'KPI_KAFKA_REQUEST' })
    expect(error.message).toContain("'workers'")
    expect(error.message).toContain(name)
  })

  it("has the broker's own sentence", () => {
    const refusal = { name: 'GROUP_ID_NOT_FOUND', detail: 'Group workers is not a consumer group.' }
    expect(refusalError('workers', refusal).message).toContain(
      'GROUP_ID_NOT_FOUND (Group workers is not a consumer group.)',
    )
  })
})
