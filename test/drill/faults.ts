import { deleteTopicsV6 } from '#kafka-protocol'
import { ownerRole, pipelineRole } from '../../src/embedded/postgres/postgres-server.ts'
import { DatabaseSessions } from '../chaos/faults/database-sessions.ts'
import type { Pace } from './pace.ts'
import type { ScenarioName } from './scenario-names.ts'
import { type Site, topic } from './site.ts'
import type { Expected } from './tellings.ts'

/** Something that breaks, what must be told of it, and how it is repaired. */
export interface Fault {
  readonly title: string
  readonly expected: Expected
  /** What the rule itself waits for before it finds anything. */
  readonly ruleWaitSeconds: (pace: Pace) => number
  /** What has to pass after the repair before the rule finds nothing. */
  readonly clearWaitSeconds?: (pace: Pace) => number
  /** Looks for which it stays after it was told: what else it brings is told, or not, by then. @defaultValue 4 */
  readonly looksHeld?: number
  /** @returns The repair; it ends when the pipeline can work again. */
  readonly begin: (site: Site) => Promise<() => Promise<void>>
}

/** How long our own broker waits for a member before it removes it; see src/embedded/kafka/kafka-config.ts. */
const memberGoneSeconds = 7
/** How often a worker tells of itself. */
const beatSeconds = 5
/** From when on a batch that waits for a connection counts; see consumer/lane.ts. */
const overdueSeconds = 10
const requestTimeoutMs = 15_000

const critical = ['critical'] as const
const warning = ['warning'] as const
const either = ['warning', 'critical'] as const

/** Of the messages of a feed that is not well. */
const badShare = 0.1
/** With the delay below more messages wait than LAG_WARNING_MESSAGES, and they are worked off as fast as they come. */
const busyRate = 500
const slowMs = 2500
/** From when on so many wait: what comes while one commit is on its way, and until the next one is. */
const lagHighAfterSeconds = (2 * slowMs) / 1000 + 1000 / busyRate
const aheadSeconds = 600

export const faults: Readonly<Record<ScenarioName, Fault>> = {
  'broker-frozen': {
    title: 'broker SIGSTOP',
    expected: { rule: 'KafkaUnreachable', stage: 'kafka', severities: critical },
    ruleWaitSeconds: () => 0,
    begin: async ({ stack }) => settled(stack.broker(1).home.freeze()),
  },
  'broker-killed': {
    title: 'broker killed',
    expected: { rule: 'KafkaUnreachable', stage: 'kafka', severities: critical },
    ruleWaitSeconds: () => 0,
    begin: async ({ stack }) => {
      await stack.broker(1).home.kill()
      return () => stack.broker(1).home.restart()
    },
  },
  'postgres-frozen': {
    title: 'PostgreSQL SIGSTOP',
    expected: { rule: 'PostgresUnreachable', stage: 'postgres', severities: critical },
    ruleWaitSeconds: () => 0,
    begin: async ({ stack }) => settled(stack.postgres.freeze()),
  },
  'postgres-killed': {
    title: 'PostgreSQL killed',
    expected: { rule: 'PostgresUnreachable', stage: 'postgres', severities: critical },
    ruleWaitSeconds: () => 0,
    begin: async ({ stack }) => {
      await stack.postgres.kill()
      return () => stack.postgres.restart()
    },
  },
  'consumer-killed': {
    title: 'consumer killed',
    expected: { rule: 'NoConsumer', stage: 'consumer', severities: critical },
    ruleWaitSeconds: () => memberGoneSeconds,
    begin: async (site) => {
      await site.worker.kill()
      return () => site.startWorker()
    },
  },
  'feed-stopped': {
    title: 'feed stopped',
    expected: { rule: 'FeedSilent', stage: 'feed', severities: either },
    ruleWaitSeconds: ({ workerDownSeconds }) => workerDownSeconds,
    begin: async (site) => {
      await site.feed.stop()
      return () => site.startFeed()
    },
  },
  'topic-deleted': {
    title: 'topic deleted',
    expected: { rule: 'TopicMissing', stage: 'kafka', severities: critical },
    ruleWaitSeconds: () => 0,
    begin: async (site) => {
      const names = [{ name: topic, topicId: null }]
      await site.cluster.request('any', 'control', deleteTopicsV6.api, names, requestTimeoutMs)
      return () => beginAnew(site)
    },
  },
  'column-dropped': {
    title: 'column dropped',
    expected: { rule: 'SchemaInvalid', stage: 'postgres', severities: critical },
    ruleWaitSeconds: () => 0,
    begin: dropColumn,
  },
  'bad-messages': {
    title: '10 % bad messages',
    expected: { rule: 'ErrorRateHigh', stage: 'feed', severities: either },
    // One in a hundred of all that the time holds.
    ruleWaitSeconds: ({ errorRateSeconds }) => (errorRateSeconds * 0.01) / badShare + beatSeconds,
    clearWaitSeconds: ({ errorRateSeconds }) => errorRateSeconds,
    begin: async (site) => {
      await site.feed.stop()
      await site.startFeed('--bad', String(badShare))
      return () => restartFeed(site)
    },
  },
  'slow-database': {
    title: 'slow database',
    expected: { rule: 'ConsumerLagHigh', stage: 'consumer', severities: warning },
    ruleWaitSeconds: () => lagHighAfterSeconds,
    begin: async (site) => {
      const { wayToPostgres } = site.stack
      await site.feed.stop()
      await site.startFeed('--rate', String(busyRate))
      wayToPostgres.slowDown(slowMs)
      return async () => {
        wayToPostgres.slowDown(0)
        await restartFeed(site)
      }
    },
  },
  'pool-exhausted': {
    title: 'pool exhausted',
    expected: { rule: 'PoolSaturated', stage: 'postgres', severities: either },
    ruleWaitSeconds: () => overdueSeconds + beatSeconds,
    // After a minute the partitions are stalled besides, which is critical and has to be told too.
    looksHeld: 0,
    begin: holdRows,
  },
  'feed-clock-ahead': {
    title: 'clock of the feed 10 min ahead',
    expected: { rule: 'ClockSkew', stage: 'feed', severities: either },
    ruleWaitSeconds: ({ errorRateSeconds }) => errorRateSeconds * 0.01 + beatSeconds,
    clearWaitSeconds: ({ errorRateSeconds }) => errorRateSeconds,
    begin: async (site) => {
      await site.feed.stop()
      await site.startAheadFeed(aheadSeconds)
      return () => restartFeed(site)
    },
  },
}

function settled(thaw: () => void): () => Promise<void> {
  return async () => thaw()
}

async function restartFeed(site: Site): Promise<void> {
  await site.feed.stop()
  await site.startFeed()
}

/** As docs/alerts/TopicMissing.md has it. */
async function beginAnew(site: Site): Promise<void> {
  await Promise.all([site.worker.stop(), site.feed.stop()])
  await site.init('--accept-new-topic', '--yes')
  await site.startWorker()
  await site.startFeed()
}

/** With all that hangs on it; the repair puts back column, view and rights. */
async function dropColumn(site: Site): Promise<() => Promise<void>> {
  const [view] = await site.query<{ definition: string }>(`SELECT pg_get_viewdef('kpi_windows') AS definition`)
  await site.query('ALTER TABLE kpi_market_prices DROP COLUMN late_count CASCADE')
  return async () => {
    await site.query(`
      ALTER TABLE kpi_market_prices ADD COLUMN late_count bigint NOT NULL DEFAULT 0;
      CREATE VIEW kpi_windows AS ${view?.definition ?? ''};
      GRANT SELECT ON kpi_windows TO bi_user, bi_reader`)
    // It cannot go on with a statement that the database did not know, and ends; under `up` it is started again.
    await site.worker.stop()
    await site.startWorker()
  }
}

/** Somebody's transaction stays open, and every write of the worker waits for it. */
async function holdRows({ stack }: Site): Promise<() => Promise<void>> {
  const { server } = stack.postgres
  let letGo: () => void = () => undefined
  const pause = () =>
    new Promise<void>((resolve) => {
      letGo = resolve
    })
  const urls = { owner: () => server.url(ownerRole), pipeline: () => server.url(pipelineRole) }
  const held = new DatabaseSessions(urls, pause).holdLocks(0)
  return async () => {
    letGo()
    await held
  }
}
