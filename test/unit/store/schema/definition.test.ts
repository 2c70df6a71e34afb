import { describe, expect, it } from 'vitest'
import { assertSameDefinition, type Definition } from '../../../../src/store/schema/definition.ts'

const held: Definition = {
  clusterId: 'c1',
  topic: 'prices',
  topicId: 'id-1',
  consumerGroup: 'group',
  windowSeconds: 300,
  allowedLatenessSeconds: 120,
  maxFutureSeconds: 300,
  decimals: 8,
}

describe('assertSameDefinition', () => {
  it('accepts the same', () => {
    expect(() => assertSameDefinition(held, { ...held }, 'db:5432/bi')).not.toThrow()
  })

  it.each([
    [{ windowSeconds: 60 }, 'WINDOW_SECONDS 300 (here: 60)'],
    [{ consumerGroup: 'other' }, 'KAFKA_GROUP group (here: other)'],
    [{ allowedLatenessSeconds: 0 }, 'ALLOWED_LATENESS_SECONDS 120 (here: 0)'],
    [{ maxFutureSeconds: 1 }, 'MAX_FUTURE_SECONDS 300 (here: 1)'],
    [{ decimals: 12 }, 'DECIMALS 8 (here: 12)'],
    // Another topic has another id, which says nothing more.
    [{ topic: 'other', topicId: 'id-2' }, 'KAFKA_TOPIC prices (here: other)'],
    [{ clusterId: 'c2', topicId: 'id-2' }, 'Kafka cluster c1 (here: c2)'],
  ])('names what differs: %o', (changed, words) => {
    const check = () => assertSameDefinition(held, { ...held, ...changed }, 'db:5432/bi')
    expect(check).toThrow(expect.objectContaining({ code: 'KPI_DEFINITION_MISMATCH' }))
    expect(check).toThrow(`the database at db:5432/bi holds ${words}`)
    const isRebuildable = !('topic' in changed) && !('clusterId' in changed)
    expect(check).toThrow(
      isRebuildable ? /, or run 'market-kpi rebuild --all' to change it$/ : /, or use another database$/,
    )
    expect(check).not.toThrow('topic id')
  })

  it('tells a topic that was made anew by its id alone', () => {
    const check = () => assertSameDefinition(held, { ...held, topicId: 'id-2' }, 'db:5432/bi')
    expect(check).toThrow(expect.objectContaining({ code: 'KPI_TOPIC_RECREATED' }))
    expect(check).toThrow(/id is id-2, the database at db:5432\/bi holds id-1; 'market-kpi init --accept-new-topic'/)
  })
})
