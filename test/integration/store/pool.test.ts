import { expect, it } from 'vitest'
import { openDatabase, postgresOptions } from '../../../src/store/client/connection.ts'
import { makePipeline } from '../scenes/pipeline.ts'

it('a wait for a connection of the pool is measured, and told once', async () => {
  await using pipeline = await makePipeline()
  const options = postgresOptions(pipeline.config)
  const database = await openDatabase(options, { maxConnections: 1, applicationName: 'market-kpi test' })
  try {
    await database.query({ text: 'SELECT 1' })
    database.takeLongestAcquireMs()
    const holder = database.transaction((client) => client.query('SELECT pg_sleep(0.3)'))
    await Promise.all([holder, database.query({ text: 'SELECT 1' })])
    const waitedMs = database.takeLongestAcquireMs()
    expect(waitedMs).toBeGreaterThan(290)
    expect(database.takeLongestAcquireMs()).toBeLessThan(waitedMs / 2)
  } finally {
    await database.close()
  }
})
