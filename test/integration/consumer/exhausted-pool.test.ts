// All database connections of a worker are in use, and its batches wait for one.
import { expect, it } from 'vitest'
import { observe, sendNow } from '../scenes/observing.ts'
import { makePipeline } from '../scenes/pipeline.ts'
import { marketKpi } from '../scenes/processes.ts'
import { until } from '../scenes/until.ts'
import { untilCounted } from '../scenes/worker.ts'

const blockedCommits = `
  SELECT count(*)::integer AS n FROM pg_stat_activity
  WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%kpi_commit%'`

it('a worker whose pool is exhausted tells so, and is not taken for dead', async () => {
  await using pipeline = await makePipeline({ settings: { workerDownSeconds: '12' } })
  const { owner } = pipeline
  const run = marketKpi(['consume', '--http-port', '0'], pipeline.env)
  await sendNow(pipeline, 100)
  await untilCounted(pipeline, 100)
  await owner.transaction(async (locker) => {
    await locker.query('SELECT FROM kpi_market_prices FOR UPDATE')
    await sendNow(pipeline, 100)
    await until(
      'a commit on the only connection, that waits for a row',
      () => owner.query<{ n: number }>({ text: blockedCommits }),
      ([row]) => row?.n === 1,
    )
    await sendNow(pipeline, 100)
    const observer = observe(pipeline.config)
    const { assessment } = await until(
      'told that batches wait',
      () => observer.observe(0),
      ({ assessment: { findings } }) => findings.some(({ rule, isUnknown }) => rule === 'PoolSaturated' && !isUnknown),
    )
    expect(assessment.findings.filter(({ isUnknown }) => !isUnknown).map(({ rule }) => rule)).toEqual(['PoolSaturated'])
    // Longer than a worker may be silent.
    await until(
      'told again and again',
      () =>
        owner.query<{ waited: boolean }>({
          text: `SELECT now() - query_start > '13 s' AS waited
        FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        }),
      (rows) => rows.some(({ waited }) => waited),
    )
    const { findings } = (await observer.observe(0)).assessment
    expect(findings.map(({ rule }) => rule)).not.toContain('NoConsumer')
    expect(findings.map(({ rule }) => rule)).not.toContain('WorkerDown')
  })
  await untilCounted(pipeline, 300)
  run.child.kill('SIGTERM')
  expect(await run.exited).toMatchObject({ code: 0 })
})
