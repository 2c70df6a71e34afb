import { expect, it } from 'vitest'
import { makePipeline } from '../scenes/pipeline.ts'

it('prepares topic, schema, roles and definition', async () => {
  await using pipeline = await makePipeline({ partitions: 4 })
  expect(pipeline.metadata.partitions).toHaveLength(4)
  const [held] = await pipeline.owner.query<{ topic: string }>({ text: 'SELECT topic FROM kpi_definition' })
  expect(held?.topic).toBe(pipeline.metadata.topic)
})
