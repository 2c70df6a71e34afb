import { randomUUID } from 'node:crypto'
import { loadConfig } from '../../config/load.ts'
import { ownerRole, type PostgresServer, pipelineRole } from '../../embedded/postgres/postgres-server.ts'
import {
  type Database,
  openDatabase,
  type PostgresOptions,
  postgresOptions,
  withClient,
} from '../../store/client/connection.ts'
import { openPositions } from '../../store/positions/positions.ts'
import { checkDefinition, type Definition } from '../../store/schema/definition.ts'
import { prepareSchema, recordDefinition } from '../../store/schema/schema.ts'
import { commitBatch } from '../../store/windows/commit.ts'
import { treeCpuSeconds } from '../cpu.ts'
import { monotonicMs } from '../live/monotonic.ts'
import { decimals, type PartialBatches, windowSeconds } from './partial-batches.ts'
import type { DatabaseVariant } from './variants.ts'

/** The server's counters so far. The difference between two of these is a measurement. */
export interface DatabaseCounters {
  readonly walBytes: number
  readonly rows: number
  readonly updated: number
  readonly updatedHot: number
  readonly dead: number
  readonly autovacuums: number
  /** Size of the table of rows with its indexes. */
  readonly bytes: number
  /** Size of the table of positions with its index. */
  readonly positionBytes: number
  readonly messages: number
  readonly postgresCpuSeconds: number
}

/** Without it, PostgreSQL may delay its statistics by up to a second. */
const flush = 'SELECT pg_stat_force_next_flush()'

const select = `
  SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint AS "walBytes",
    (SELECT count(*) FROM kpi_market_prices) AS rows,
    (SELECT coalesce(sum(trade_count), 0)::bigint FROM kpi_market_prices) AS messages,
    n_tup_upd AS updated, n_tup_hot_upd AS "updatedHot", n_dead_tup AS dead, autovacuum_count AS autovacuums,
    pg_total_relation_size('kpi_market_prices') AS bytes,
    pg_total_relation_size('kpi_consumer_offsets') AS "positionBytes"
  FROM pg_stat_user_tables WHERE relname = 'kpi_market_prices'`

/** A new database. Batches are committed to it one after the other, as the worker of one partition does. */
export class DatabaseScene {
  readonly #owner: Database
  readonly #worker: Database
  readonly #batches: PartialBatches
  readonly #definition: Definition
  readonly #definitionId: number
  readonly #serverPid: number
  readonly #drop: () => Promise<void>
  #commits = 0

  static async open(given: {
    server: PostgresServer
    name: string
    variant: DatabaseVariant
    batches: PartialBatches
  }): Promise<DatabaseScene> {
    const { server, name, variant, batches } = given
    const options = ownerOptions(server, name)
    const definition = definitionFor(name)
    await prepareSchema(options, { bi_user: server.secrets.pipeline })
    await recordDefinition(options, definition)
    const owner = await openDatabase(options, { maxConnections: 2, applicationName: 'market-kpi bench' })
    const pooled = { maxConnections: 1, applicationName: 'market-kpi bench worker' }
    const worker = await openDatabase(optionsOf(server.url(pipelineRole, name)), pooled)
    if (variant.sql !== undefined) await owner.query({ text: variant.sql })
    const definitionId = await checkDefinition(worker, definition)
    const key = { group: definition.consumerGroup, topic: definition.topic, definitionId }
    await openPositions(worker, key, new Map([[0, 0]]))
    // Otherwise the number of full page images would depend on when the last checkpoint was.
    await owner.query({ text: 'CHECKPOINT' })
    const drop = () =>
      withClient(ownerOptions(server, 'postgres'), async (client) => {
        await client.query(`DROP DATABASE ${client.escapeIdentifier(name)} WITH (FORCE)`)
      })
    return new DatabaseScene({ owner, worker, batches, definition, definitionId, serverPid: server.pid, drop })
  }

  private constructor(parts: {
    owner: Database
    worker: Database
    batches: PartialBatches
    definition: Definition
    definitionId: number
    serverPid: number
    drop: () => Promise<void>
  }) {
    this.#owner = parts.owner
    this.#worker = parts.worker
    this.#batches = parts.batches
    this.#definition = parts.definition
    this.#definitionId = parts.definitionId
    this.#serverPid = parts.serverPid
    this.#drop = parts.drop
  }

  /** Messages committed so far. */
  get messages(): number {
    return this.#commits * this.#batches.shape.messages
  }

  /** Connection of the schema's owner. */
  get owner(): Database {
    return this.#owner
  }

  /** Commits the next batch. @returns How many rows it had, and how long the commit took. */
  async commitNext(): Promise<{ rows: number; ms: number }> {
    const rows = this.#batches.rowsOf(this.#commits)
    const expectedOffset = this.messages
    const { messages } = this.#batches.shape
    const advance = { partition: 0, expectedOffset, nextOffset: expectedOffset + messages, watermarkUs: -1 }
    const startedAtMs = monotonicMs()
    await commitBatch(this.#worker, {
      definitionId: this.#definitionId,
      group: this.#definition.consumerGroup,
      topic: this.#definition.topic,
      advances: [{ ...advance, merged: messages, rejected: 0, withoutMessage: 0 }],
      rows,
      decimals,
      letters: [],
    })
    this.#commits += 1
    return { rows: rows.length, ms: monotonicMs() - startedAtMs }
  }

  async counters(): Promise<DatabaseCounters> {
    // Must run on the connection that did the work.
    await this.#worker.query({ text: flush })
    const [row] = await this.#owner.query<Omit<DatabaseCounters, 'postgresCpuSeconds'>>({ text: select })
    const none = { walBytes: 0, rows: 0, updated: 0, updatedHot: 0, dead: 0, autovacuums: 0, messages: 0 }
    return {
      ...(row ?? { ...none, bytes: 0, positionBytes: 0 }),
      postgresCpuSeconds: treeCpuSeconds(this.#serverPid),
    }
  }

  /** Also drops the database. */
  async close(): Promise<void> {
    await Promise.all([this.#worker.close(), this.#owner.close()])
    await this.#drop()
  }
}

export function ownerOptions(server: PostgresServer, database: string): PostgresOptions {
  return optionsOf(server.url(ownerRole, database))
}

function optionsOf(url: string): PostgresOptions {
  return postgresOptions(loadConfig({ env: { DATABASE_URL: url, POSTGRES_SSLMODE: 'disable' } }))
}

function definitionFor(name: string): Definition {
  return {
    clusterId: 'bench',
    topic: name,
    topicId: randomUUID(),
    consumerGroup: name,
    windowSeconds,
    allowedLatenessSeconds: 120,
    maxFutureSeconds: windowSeconds,
    decimals,
  }
}
