import { randomBytes, randomUUID } from 'node:crypto'
import { inject } from 'vitest'
import { loadConfig } from '../../../src/config/load.ts'
import { pipelineRole } from '../../../src/embedded/postgres/postgres-server.ts'
import type { ReadEpoch } from '../../../src/kpi/leader-epochs.ts'
import type { PartialRow } from '../../../src/kpi/partial.ts'
import {
  type Database,
  openDatabase,
  type PostgresOptions,
  postgresOptions,
} from '../../../src/store/client/connection.ts'
import { openPositions, type Position } from '../../../src/store/positions/positions.ts'
import { checkDefinition, type Definition } from '../../../src/store/schema/definition.ts'
import { prepareSchema, recordDefinition } from '../../../src/store/schema/schema.ts'
import { type Batch, commitBatch, type DeadLetter } from '../../../src/store/windows/commit.ts'

export interface StoreServer {
  /** Of the owner, at the database `postgres`. */
  readonly ownerUrl: string
  readonly pipelinePassword: string
}

/** How far a batch takes one partition. */
export interface Advance {
  readonly partition: number
  readonly from: number
  readonly merged?: number
  readonly rejected?: number
  readonly withoutMessage?: number
  readonly watermarkUs?: number
  readonly epoch?: ReadEpoch
}

/** A database that holds the definition of a made-up topic, for tests that need no broker. */
export class StoreScene {
  readonly name = `store-${randomBytes(6).toString('hex')}`
  readonly definition: Definition
  readonly ownerOptions: PostgresOptions
  /** As workers get it. */
  readonly workerOptions: PostgresOptions
  /** Of the schema's owner, to look and to meddle. */
  owner!: Database
  definitionId = -1
  readonly #server: StoreServer
  readonly #opened: Database[] = []

  static async open(options: { server?: StoreServer; partitions?: number; definition?: Partial<Definition> } = {}) {
    const server = options.server ?? {
      ownerUrl: inject('ownerUrl'),
      pipelinePassword: inject('pipelinePassword'),
    }
    const scene = new StoreScene(server, options.definition ?? {})
    await prepareSchema(scene.ownerOptions, { bi_user: server.pipelinePassword })
    await recordDefinition(scene.ownerOptions, scene.definition)
    scene.owner = await openDatabase(scene.ownerOptions, { maxConnections: 2, applicationName: 'test owner' })
    scene.definitionId = await checkDefinition(scene.owner, scene.definition)
    const partitions = Array.from({ length: options.partitions ?? 3 }, (_, i) => [i, 0] as const)
    await scene.openPositions(scene.owner, new Map(partitions))
    return scene
  }

  private constructor(server: StoreServer, definition: Partial<Definition>) {
    this.#server = server
    const topic = `prices-${this.name}`
    this.definition = {
      clusterId: 'a-cluster',
      topic,
      topicId: randomUUID(),
      consumerGroup: `group-${this.name}`,
      windowSeconds: 300,
      allowedLatenessSeconds: 120,
      maxFutureSeconds: 300,
      decimals: 8,
      ...definition,
    }
    this.ownerOptions = this.#optionsOf(new URL(server.ownerUrl))
    const worker = new URL(server.ownerUrl)
    worker.username = pipelineRole
    worker.password = server.pipelinePassword
    this.workerOptions = this.#optionsOf(worker)
  }

  get key(): { group: string; topic: string; definitionId: number } {
    return { group: this.definition.consumerGroup, topic: this.definition.topic, definitionId: this.definitionId }
  }

  /** A pool of a worker's, by any way to the server. */
  async worker(options: { maxConnections?: number; port?: number; queryTimeoutMs?: number } = {}): Promise<Database> {
    const { maxConnections = 4, port = this.workerOptions.port, ...more } = options
    const pooled = { maxConnections, applicationName: 'test worker', ...more }
    const database = await openDatabase({ ...this.workerOptions, port }, pooled)
    this.#opened.push(database)
    return database
  }

  openPositions(database: Database, earliest: ReadonlyMap<number, number>): Promise<Position[]> {
    return openPositions(database, this.key, earliest)
  }

  batch(advances: readonly Advance[], rows: readonly PartialRow[] = [], letters: readonly DeadLetter[] = []): Batch {
    const { group, topic, definitionId } = this.key
    return {
      definitionId,
      group,
      topic,
      advances: advances.map((advance) => {
        const { partition, from, merged = 0, rejected = 0, withoutMessage = 0, watermarkUs = -1, epoch } = advance
        return {
          partition,
          expectedOffset: from,
          nextOffset: from + merged + rejected + withoutMessage,
          watermarkUs,
          merged,
          rejected,
          withoutMessage,
          ...(epoch ? { epoch } : {}),
        }
      }),
      rows,
      decimals: this.definition.decimals,
      letters,
    }
  }

  commit(database: Database, ...batch: Parameters<StoreScene['batch']>): Promise<void> {
    return commitBatch(database, this.batch(...batch))
  }

  /** `next_offset`, `merged`, `rejected` and `without_message` of each partition. */
  async counters(): Promise<number[][]> {
    const rows = await this.owner.query<{ counters: number[] }>({
      text: `SELECT ARRAY[next_offset, merged, rejected, without_message]::integer[] AS counters
        FROM kpi_consumer_offsets ORDER BY partition`,
    })
    return rows.map(({ counters }) => counters)
  }

  async count(table: 'kpi_market_prices' | 'dead_letters'): Promise<number> {
    const [row] = await this.owner.query<{ n: number }>({ text: `SELECT count(*) AS n FROM ${table}` })
    return row?.n ?? -1
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#opened, this.owner].map((database) => database.close()))
    const options = { ...this.ownerOptions, database: 'postgres' }
    const server = await openDatabase(options, { maxConnections: 1, applicationName: 'test owner' })
    await server.query({ text: `DROP DATABASE IF EXISTS "${this.name}" WITH (FORCE)` })
    await server.close()
  }

  #optionsOf(url: URL): PostgresOptions {
    url.pathname = `/${this.name}`
    return postgresOptions(loadConfig({ env: { DATABASE_URL: url.href, POSTGRES_SSLMODE: 'disable' } }))
  }
}
