import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type KafkaServer, startKafka } from '../../../src/embedded/kafka/kafka-server.ts'
import { ownerRole, type PostgresServer, startPostgres } from '../../../src/embedded/postgres/postgres-server.ts'
import { makeTemporaryFolder, removeTemporaryFolder } from '../../../src/process/temporary-folder.ts'
import { type Servers, silentLog } from '../scenes/pipeline.ts'

const stopDeadlineMs = 8000

/** A broker and a database of a test's own, to be taken away and brought back at the same place. */
export class OwnServers {
  readonly #folder = makeTemporaryFolder('market-kpi-own-')
  #kafka: KafkaServer | undefined
  #postgres: PostgresServer | undefined

  /** What pipelines need to know. */
  async start(): Promise<Servers> {
    await Promise.all([this.startKafka(), this.startPostgres()])
    return this.#serversAt(this.kafka.bootstrap)
  }

  /** A database of a test's own, beside the broker of all tests. */
  async startPostgresBeside(bootstrap: string): Promise<Servers> {
    await this.startPostgres()
    return this.#serversAt(bootstrap)
  }

  #serversAt(bootstrap: string): Servers {
    const { postgres } = this
    return {
      bootstrap,
      ownerUrl: postgres.url(ownerRole, 'postgres'),
      pipelinePassword: postgres.secrets.pipeline,
      readerPassword: postgres.secrets.reader,
    }
  }

  get kafka(): KafkaServer {
    if (this.#kafka === undefined) throw new Error('the broker was not started')
    return this.#kafka
  }

  get postgres(): PostgresServer {
    if (this.#postgres === undefined) throw new Error('the database was not started')
    return this.#postgres
  }

  /** For the first time, or again at the same port with the same data. */
  async startKafka(): Promise<void> {
    this.#kafka = await startKafka({ ...this.#place(), port: this.#kafka?.port ?? 0 })
  }

  async startPostgres(): Promise<void> {
    this.#postgres = await startPostgres({ ...this.#place(), port: this.#postgres?.port ?? 0 })
  }

  /**
   * Copies the database as it is now. Each call of what is returned puts the copy in its place, at the same port: what a
   * failover to a standby that had fallen behind does, or a backup that is restored.
   */
  async copyPostgres(): Promise<() => Promise<void>> {
    const current = join(this.#folder, 'postgres')
    const copy = join(this.#folder, 'postgres-copy')
    const replace = async (from: string, to: string) => {
      await this.postgres.stop(stopDeadlineMs)
      rmSync(to, { recursive: true, force: true })
      // With the owner of the files, which is not this process's user when that is root.
      execFileSync('cp', ['-a', from, to])
      await this.startPostgres()
    }
    await replace(current, copy)
    return () => replace(copy, current)
  }

  async stop(): Promise<void> {
    await Promise.all([this.#kafka?.stop(stopDeadlineMs), this.#postgres?.stop(stopDeadlineMs)])
    removeTemporaryFolder(this.#folder)
  }

  #place() {
    return { dataDir: this.#folder, logsDir: join(this.#folder, 'logs'), log: silentLog }
  }
}
