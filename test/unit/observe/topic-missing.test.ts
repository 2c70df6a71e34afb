import { describe, expect, it } from 'vitest'
import type { PipelineSnapshot } from '../../../src/observe/snapshot.ts'
import { healthy, judge, withSource } from './scene.ts'

const ok = healthy()

describe('TopicMissing suggests what helps', () => {
  const gone = withSource(ok, 'kafka', 'topic', { isThere: false, topicId: '', partitions: [] })
  const summaryOf = (snapshot: PipelineSnapshot) =>
    judge(snapshot).findings.find(({ rule }) => rule === 'TopicMissing')?.summary

  it.each([
    ['init, in a new database', { definition: null }, "check KAFKA_TOPIC, or create it with 'market-kpi init'"],
    [
      'not init, where the rows are of another topic',
      { definition: held('other') },
      "the database has rows of 'other': correct KAFKA_TOPIC",
    ],
    [
      'init for a new topic, where the one of the rows is gone',
      {},
      "'market-kpi init --accept-new-topic' creates it and keeps the old rows separate",
    ],
  ])('%s', (_, schema, remedy) => {
    const { topic } = gone.asked
    expect(summaryOf(withSource(gone, 'postgres', 'schema', schema))).toBe(
      `the topic '${topic}' does not exist: ${remedy}`,
    )
  })

  function held(topic: string) {
    const { schema } = ok.postgres
    return schema.state === 'ok' && schema.definition ? { ...schema.definition, topic } : null
  }
})
